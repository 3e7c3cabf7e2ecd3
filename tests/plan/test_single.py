"""Heavy ops of eager mode by kernels: what their NumPy meanings give, and when."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.framework.late import late
from hybridflow._src.framework.op_def import OPS, OpDef, not_differentiable
from hybridflow._src.plan import single
from hybridflow._src.plan.frequent import Frequent
from tests import native
from tests.ops import table

late.load_ops()
HEAVY = sorted(name for name, op in OPS.items() if op.kernels_from is not None)
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def plans(monkeypatch):
    """The plans that a test makes, by key."""
    found = Frequent(single._OFTEN, single._MOST_KEYS)
    monkeypatch.setattr(single, "_plans", found)
    with hf.eager_mode():
        yield found.known


def images(*shape):
    return RNG.normal(size=shape or (2, 16, 15, 4)).astype(np.float32)


def convolved(x, filters):
    return hf.nn.conv2d(x, filters, [1, 1, 1, 1], "SAME")


def natively(function, *arrays):
    """What a function gives at first, and by kernels."""
    first = function(*arrays)
    for _ in range(single._OFTEN + 2):
        function(*arrays)
    native.wait()
    return first, function(*arrays)


def latest(plans):
    """The native programs of the plans."""
    return [plan.native.latest for plan in plans.values() if not isinstance(plan, int | None)]


@pytest.mark.parametrize("name", HEAVY)
def test_every_row(name, monkeypatch, plans):
    monkeypatch.setattr(single._plans, "often", 0)
    op = OPS[name]
    with native.uncompiled_kernels():
        for row in table.rows(op):
            wanted = table.computed(row)
            attrs = {**op.defaults, **row.sample.attrs}
            for _ in range(3):
                found = single.run_single(op, row.arrays, attrs)
                if found is None:  # an empty array, for one
                    continue
                for mine, right in zip(table.listed(found), wanted, strict=True):
                    tolerance = 1e-3 if right.dtype == np.float16 else 1e-5
                    np.testing.assert_allclose(mine, right, tolerance, tolerance, strict=True)
    assert any(latest(plans))


def test_kernels_take_over(plans):
    x, filters = hf.constant(images()), hf.constant(images(3, 3, 4, 5))
    first, later = natively(convolved, x, filters)
    assert all(latest(plans))
    assert len(plans) == 1
    np.testing.assert_allclose(later.numpy(), first.numpy(), rtol=1e-4, atol=1e-4)


def test_small_ones_are_left_alone(plans):
    x, filters = hf.constant(images(1, 3, 3, 1)), hf.constant(images(2, 2, 1, 1))
    for _ in range(5):
        convolved(x, filters)
    assert not plans


def test_results_stay_as_they_are():
    """Memory is used again only when nobody sees it any more, be it through a view."""
    x, filters = hf.constant(images(4, 32, 32, 4)), hf.constant(images(3, 3, 4, 5))
    _, y = natively(convolved, x, filters)
    wanted = y.numpy()
    view, flat = np.asarray(y)[1:], hf.reshape(y, [-1])
    del y
    for turn in range(6):
        convolved(hf.constant(images(4, 32, 32, 4)), filters)
        np.testing.assert_array_equal(view, wanted[1:])
        np.testing.assert_array_equal(flat.numpy(), wanted.ravel(), f"turn {turn}")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0])
def test_special_values(value):
    x = images()
    x[0, 3:9, 4, 1] = value
    for function in (
        lambda x: hf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
        lambda x: hf.nn.avg_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME"),
        lambda x: convolved(x, np.ones((3, 3, 4, 2), np.float32)),
    ):
        first, later = natively(function, hf.constant(x))
        np.testing.assert_allclose(later.numpy(), first.numpy(), rtol=1e-4, atol=1e-4)


def test_errors_are_the_same_each_time():
    x = hf.constant(images())
    told = set()
    for _ in range(2 * single._OFTEN + 2):
        convolved(x, images(3, 3, 4, 5))
        with pytest.raises(ValueError, match="Dimensions must be equal") as error:
            convolved(x, images(3, 3, 5, 5))
        told.add(str(error.value))
    assert len(told) == 1


def test_gradients_flow_through_them():
    x, filters = hf.constant(images()), hf.constant(images(3, 3, 4, 5))

    def gradients(x, filters):
        with hf.GradientTape(persistent=True) as outer:
            outer.watch([x, filters])
            with hf.GradientTape() as tape:
                tape.watch([x, filters])
                y = hf.reduce_sum(convolved(x, filters) ** 2)
            dx, dw = tape.gradient(y, [x, filters])
        return hf.concat([hf.reshape(t, [-1]) for t in (dx, dw, outer.gradient(dw, x))], 0)

    first, later = natively(gradients, x, filters)
    np.testing.assert_allclose(later.numpy(), first.numpy(), rtol=1e-3, atol=1e-3)


def test_other_arrays_of_the_same_kind():
    """Arrays in another order in memory, and ones that are written to later."""
    x, filters = images(2, 4, 16, 15), images(3, 3, 4, 5)
    turned = x.transpose(0, 2, 3, 1)
    first, later = natively(lambda: convolved(turned, filters))
    x[...] = 0
    np.testing.assert_allclose(later.numpy(), first.numpy(), rtol=1e-4, atol=1e-4)


def test_a_bounded_number_of_plans(plans):
    for size in range(single._MOST_KEYS + 20):
        x = hf.constant(images(1, 16 + size, 16, 4))
        for _ in range(single._OFTEN + 1):
            hf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    assert len(plans) <= single._MOST_KEYS


def test_threads_share_plans(plans):
    filters = hf.constant(images(3, 3, 4, 5))
    xs = [hf.constant(images()) for _ in range(4)]
    wanted = [natively(convolved, x, filters)[0].numpy() for x in xs]
    errors = []

    def work(number):
        try:
            with hf.eager_mode():
                for turn in range(50):
                    at = (number + turn) % len(xs)
                    found = convolved(xs[at], filters)
                    np.testing.assert_allclose(found.numpy(), wanted[at], rtol=1e-4, atol=1e-4)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(plans) == 1


def test_a_record_that_no_kernel_computes():
    with pytest.raises(TypeError, match="no kernels compute it"):
        OpDef(
            "NoKernels",
            "x: T -> y: T",
            shape=lambda attrs, x: x._dims,
            compute=np.copy,
            grad=not_differentiable,
            samples=lambda rng: [],
            kernels_from=1,
        )
