"""Values that stay in a session between runs."""

from __future__ import annotations

import gc
import re

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.plan import planning
from tests.native import programs, uncompiled_kernels

INVALID = hf.errors.InvalidArgumentError


@pytest.fixture
def session():
    with hf.Graph().as_default(), hf.Session() as session:
        yield session


def kept(session, value):
    return session.run(hf.get_session_handle(hf.constant(value)))


def test_a_value_is_kept_and_read(session):
    value = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    handle = kept(session, value)
    # The form is TensorFlow's.
    assert re.fullmatch(r"GetSessionHandle;\d+;/job:localhost/.*/device:CPU:0", handle.handle)
    assert str(handle) == handle.handle
    np.testing.assert_array_equal(handle.eval(), value)
    fed, tensor = hf.get_session_tensor(handle.handle, hf.float32)
    assert (fed.dtype, fed.shape.ndims, tensor.shape.ndims) == (hf.string, 0, None)
    for name in (handle.handle, handle.handle.encode()):
        np.testing.assert_array_equal(session.run(tensor * 2.0, {fed: name}), value * 2)
    # What is given is the caller's own.
    session.run(tensor, {fed: handle.handle})[...] = -1.0
    handle.eval()[...] = -1.0
    np.testing.assert_array_equal(handle.eval(), value)


@pytest.mark.parametrize("value", [b"a\x00b", ["a", "bc"], True, 2 + 3j, np.zeros([0, 2], np.int8)])
def test_every_dtype(session, value):
    handle = kept(session, value)
    wanted = session.run(hf.constant(value))
    np.testing.assert_array_equal(handle.eval(), wanted)
    fed, tensor = hf.get_session_tensor(handle.handle, handle.dtype)
    found = session.run(tensor, {fed: handle.handle})
    np.testing.assert_array_equal(found, wanted)
    assert np.asarray(found).dtype == np.asarray(wanted).dtype


def test_runs_go_on_from_each_other():
    """Programs write their memory anew: what is kept must not lie there."""
    plans = []
    planning.observers.append(plans.append)
    with uncompiled_kernels(), hf.Graph().as_default(), hf.Session() as session:
        handle = kept(session, np.ones([64, 33], np.float32))
        first = handle
        x = hf.placeholder(hf.float32, [64, 33])
        following = hf.get_session_handle(hf.tanh(x * 0.5) + 1.0)
        wanted = np.ones([64, 33], np.float32)
        for _ in range(5):
            handle = session.run(following, {x: handle})
            wanted = np.tanh(wanted * 0.5) + 1.0
            np.testing.assert_allclose(handle.eval(), wanted, rtol=1e-6)
        np.testing.assert_array_equal(first.eval(), 1.0)
    planning.observers.remove(plans.append)
    assert programs(plans[-1])


def test_handles_are_fed_for_tensors(session):
    c = hf.constant(10.0) * 5.0
    d = hf.identity(c)
    variable = hf.Variable(12.0)
    session.run(variable.initializer)
    handle = session.run(hf.get_session_handle(c))
    assert session.run([c, d], {c: handle, d: 60.0}) == [50.0, 60.0]
    assert session.run([c, d], {c: 60.0, d: handle}) == [60.0, 50.0]
    assert session.run(variable + 1.0, {variable: handle}) == 51.0
    for _ in range(3):
        assert session.make_callable(d + 1.0, [c])(handle) == 51.0


def test_of_other_structures(session):
    handle, twice = hf.get_session_handle(hf.constant(3)), hf.constant(6)
    found = session.run({"h": handle, "rest": [twice, handle]})
    assert (found["h"].eval(), found["rest"][0], found["rest"][1].eval()) == (3, 6, 3)
    assert session.make_callable(handle)().eval() == 3
    run = session.partial_run_setup([handle, twice], [])
    assert session.partial_run(run, handle).eval() == 3


def test_a_value_goes_with_its_handle(session):
    fed, tensor = hf.get_session_tensor("", hf.int32)
    handle = kept(session, 3)
    name = handle.handle
    del handle
    gc.collect()
    with pytest.raises(INVALID, match=f"handle '{name}' is not in the session store"):
        session.run(tensor, {fed: name})
    # One whose name was asked for stays.
    handle = kept(session, 4)
    name = handle.get_raw_handle()
    with pytest.raises(TypeError, match="may have already been deleted"):
        handle.eval()
    del handle
    gc.collect()
    assert session.run(tensor, {fed: name}) == 4
    dropped, delete = hf.delete_session_tensor(name)
    session.run(delete, {dropped: name})
    with pytest.raises(INVALID, match="is not in the session store"):
        session.run(tensor, {fed: name})
    with pytest.raises(INVALID, match=f"Failed to delete a tensor with handle '{name}'"):
        session.run(delete, {dropped: name})


def test_deleted_handles(session):
    three = hf.constant(3)
    handle = session.run(hf.get_session_handle(three))
    handle.delete()
    for use in (handle.eval, handle.delete):
        with pytest.raises(TypeError, match="may have already been deleted"):
            use()
    with pytest.raises(INVALID, match="is not in the session store"):
        session.run(three + 1, {three: handle})
    with pytest.raises(INVALID, match="is not in the session store"):
        handle.get_raw_handle()


def test_what_does_not_fit(session):
    handle = kept(session, 3)
    with pytest.raises(TypeError, match="must be of type Tensor, got int"):
        hf.get_session_handle(3)
    with pytest.raises(TypeError, match="which is a string, got int"):
        hf.get_session_tensor(3, hf.int32)
    with pytest.raises(TypeError, match="which is a string, got Tensor"):
        hf.delete_session_tensor(hf.constant(""))
    fed, tensor = hf.get_session_tensor(handle, hf.float32)
    with pytest.raises(INVALID, match="has dtype int32, not float32"):
        session.run(tensor, {fed: handle.handle})
    with pytest.raises(TypeError, match="Feed its `handle`"):
        session.run(tensor, {fed: handle})
    with pytest.raises(ValueError, match="Cannot feed value of shape"):
        session.run(tensor, {fed: ["a", "b"]})
    x = hf.placeholder(hf.float32, [2])
    with pytest.raises(TypeError, match="which has dtype float32"):
        session.run(x, {x: handle})
    with pytest.raises(ValueError, match=r"shape \(\) for Tensor"):
        session.run(x, {x: kept(session, 1.0)})


def test_sessions_do_not_share(session):
    handle = kept(session, 3)
    fed, tensor = hf.get_session_tensor(handle.handle, hf.int32)
    with hf.Session() as other:
        same = kept(other, 4)
        with pytest.raises(INVALID, match="is not in the session store"):
            other.run(tensor, {fed: handle.handle})
        assert other.run(tensor, {fed: same.handle}) == 4


def test_eager_mode_has_none():
    with hf.eager_mode():
        for use in (
            lambda: hf.get_session_handle(hf.constant(1)),
            lambda: hf.get_session_tensor("a", hf.int32),
            lambda: hf.delete_session_tensor("a"),
        ):
            with pytest.raises(RuntimeError, match="not for eager mode"):
                use()
