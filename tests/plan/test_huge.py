"""Arrays of more than 2**31 elements, natively: what is counted in 32 bits would show.

They take several GB and half a minute: `pytest -m slow` runs them.
"""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from tests import native

SIZE = 2**31 + 5


@pytest.mark.slow
def test_elementwise_work_and_reductions():
    values = np.zeros(SIZE, np.bool_)
    values[[0, 2**31 - 1, 2**31, SIZE - 1]] = True
    with hf.Graph().as_default(), hf.Session() as session:
        x = hf.placeholder(hf.bool, [SIZE])
        turned = hf.logical_not(x)
        fetches = [hf.reduce_all(turned), hf.reduce_any(x), turned[2**31 - 2 :]]
        for _ in range(3):
            found = session.run(fetches, {x: values})
            native.wait()
        (runnable,) = session._runnables.values()
        assert native.programs(runnable.plan), native.fallbacks(runnable.plan)
        assert not native.fallbacks(runnable.plan)
    assert not found[0]
    assert found[1]
    np.testing.assert_array_equal(found[2], ~values[2**31 - 2 :])
