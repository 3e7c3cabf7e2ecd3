"""Filters that stay packed as long as they stay as they are."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

import hybridflow as hf
from tests import native
from tests.plan.sessions import plan_of, program_of

SIZES = {"direct": (5, 9), "winograd": (32, 32)}


def _numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class Network:
    """A convolution of a variable, its gradient to the images, and what changes the variable."""

    def __init__(self, sizes, without=(), threads=1):
        channels, _ = sizes
        config = hf.ConfigProto(intra_op_parallelism_threads=threads)
        config.graph_options.optimizer_options.without_loop_passes = list(without)
        self.graph = hf.Graph()
        with self.graph.as_default():
            self.w = hf.get_variable("w", initializer=hf.constant(_numbers(0, 3, 3, *sizes)))
            self.x = hf.placeholder(hf.float32, [2, 12, 12, channels])
            self.value = hf.placeholder(hf.float32, self.w.shape)
            y = hf.nn.conv2d(self.x, self.w, [1] * 4, "SAME")
            self.fetches = [y, *hf.gradients(y, self.x)]
            self.train = hf.train.MomentumOptimizer(0.1, 0.9).minimize(hf.reduce_mean(y * y))
            self.assign = self.w.assign(self.value)
            self.scatter = hf.scatter_add(self.w, [1], self.value[:1])
            self.session = hf.Session(config=config)
            self.session.run(hf.global_variables_initializer())
        self.images = _numbers(1, 2, 12, 12, channels)

    def run(self):
        """What the program gives."""
        return self.session.run(self.fetches, {self.x: self.images})

    def wanted(self):
        """What it should give: of a program that packs the filter in each run."""
        with hf.Graph().as_default(), hf.Session() as session:
            x = hf.constant(self.images)
            y = hf.nn.conv2d(x, hf.constant(self.session.run(self.w)), [1] * 4, "SAME")
            return session.run([y, *hf.gradients(y, x)])

    def check(self):
        for mine, right in zip(self.run(), self.wanted(), strict=True):
            limit = 4e-6 * np.abs(right).max()
            np.testing.assert_allclose(mine, right, rtol=0, atol=limit)


@pytest.fixture(params=SIZES)
def network(request):
    found = Network(SIZES[request.param])
    with found.session:
        yield found


def _program(network):
    program_of(network.session, network.fetches, {network.x: network.images})
    return native.programs(plan_of(network.session, network.fetches))[-1]


def test_nothing_is_packed_while_nothing_changes(network):
    program = _program(network)
    labels = [program.kernels[position].label for position, _ in program.kept]
    assert "pack_flipped_filter_f32" in labels
    rest = [program.kernels[position].label for position, _ in program.steps]
    assert "pack_flipped_filter_f32" not in rest
    network.check()
    entered = []
    before = program._enter
    program._enter = lambda at: entered.append(at) or before(at)
    network.run()
    network.run()
    assert program._packing not in entered
    network.session.run(network.assign, {network.value: _numbers(3, *network.w.shape.as_list())})
    network.check()
    assert entered.count(program._packing) == 1


@pytest.mark.parametrize("quick", [True, False])
def test_steps_of_training_in_between(network, quick):
    program = _program(network)
    if not quick:
        program._quick = None
    feed = {network.x: network.images}
    program_of(network.session, network.train, feed)
    for steps in (1, 1, 2, 3):
        before = network.run()
        for _ in range(steps):
            network.session.run(network.train, feed)
        network.check()
        assert np.abs(network.run()[0] - before[0]).max() > 1e-4


def test_all_ways_to_change_a_variable(network):
    _program(network)
    feed = {network.value: _numbers(5, *network.w.shape.as_list())}
    for op in (network.assign, network.scatter, network.assign, network.scatter):
        for _ in range(4):  # interpreted first, then natively
            network.session.run(op, feed)
            native.wait()
            network.check()
            feed[network.value] = feed[network.value] + 1
    network.w.load(feed[network.value], network.session)
    network.check()


def test_a_step_that_writes_packs_in_each_run(network):
    with network.graph.as_default(), hf.control_dependencies([network.fetches[0]]):
        fetches = [network.fetches[0], network.w.assign_add(hf.ones_like(network.w))]
    feed = {network.x: network.images}
    program = program_of(network.session, fetches, feed)
    assert not program.kept
    for _ in range(3):
        right = network.wanted()[0]
        found = network.session.run(fetches, feed)[0]
        np.testing.assert_allclose(found, right, rtol=0, atol=4e-6 * np.abs(right).max())


def test_a_session_of_its_own_has_values_of_its_own(network):
    _program(network)
    other = Network(SIZES["direct" if network.images.shape[-1] == 5 else "winograd"])
    with other.session:
        _program(other)
        other.session.run(other.assign, {other.value: _numbers(8, *other.w.shape.as_list())})
        network.check()
        other.check()


def test_the_pass_can_be_left_out():
    kept, packed = (Network(SIZES["winograd"], w) for w in ((), ("filters kept packed",)))
    assert _program(kept).kept
    assert not _program(packed).kept
    for one, other in zip(kept.run(), packed.run(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_no_finite_number_is_packed_when_it_is_met(network):
    _program(network)
    value = network.session.run(network.w)
    value[1, 1, 2, 3] = np.nan
    network.session.run(network.assign, {network.value: value})
    assert np.isnan(network.run()[0][..., 3]).all()
    assert np.isfinite(network.run()[0][..., :3]).all()
    value[1, 1, 2, 3] = 1
    network.session.run(network.assign, {network.value: value})
    network.check()


def test_eager_variables():
    def conv(x, w):
        return hf.nn.conv2d(x, w, [1] * 4, "SAME")

    with hf.eager_mode():
        w = hf.Variable(_numbers(0, 3, 3, 32, 32))
        x = hf.constant(_numbers(1, 2, 12, 12, 32))
        function = hf.function(lambda x: conv(x, w))
        optimizer = hf.train.GradientDescentOptimizer(0.1)
        for step in range(12):
            if step > 6:
                with hf.GradientTape() as tape:
                    loss = hf.reduce_mean(hf.square(conv(x, w)))
                optimizer.apply_gradients([(tape.gradient(loss, w), w)])
            elif step > 4:
                w.assign_add(hf.ones_like(w))
            found, right = function(x).numpy(), conv(x, hf.constant(w.numpy())).numpy()
            native.wait()
            np.testing.assert_allclose(found, right, rtol=0, atol=4e-6 * np.abs(right).max())


def test_threads_that_train_and_infer(network):
    """Each result is one of the values that the variable had."""
    _program(network)
    shape = network.w.shape.as_list()
    feed = {network.x: network.images}
    assign = [{network.value: np.full(shape, n, np.float32)} for n in (1, 2)]
    for given in [*assign, *assign]:
        network.session.run(network.assign, given)
        native.wait()
    allowed = []
    for given in assign:
        network.session.run(network.assign, given)
        allowed.append(network.run()[0])
    done = threading.Event()

    def write():
        while not done.is_set():
            for given in assign:
                network.session.run(network.assign, given)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(200):
            found = network.session.run(network.fetches, feed)[0]
            assert any(np.allclose(found, right, rtol=1e-5) for right in allowed)
    finally:
        done.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_packs_what_it_changes():
    network = Network(SIZES["winograd"], threads=2)
    _program(network)
    before = network.run()[0]
    child = os.fork()
    if not child:
        status = 1
        try:
            given = {network.value: 2 * network.session.run(network.w)}
            network.session.run(network.assign, given)
            status = 0 if np.allclose(network.run()[0], 2 * before, rtol=1e-4, atol=1e-4) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_array_equal(network.run()[0], before)
