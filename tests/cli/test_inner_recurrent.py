"""What old programs with recurrent networks and choices of their own import from inside."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.cli.shim.inner import recurrent
from hybridflow._src.cli.shim.inner.control_flow import merge, switch


def test_a_choice_by_switches_and_a_merge():
    x, number = hf.constant([1.0, 2.0]), hf.placeholder(hf.int32, [])
    ways = [switch(x, hf.equal(number, i))[1] * (i + 1.0) for i in range(4)]
    output, index = merge(ways)
    with hf.Session() as session:
        for i in (3, 0, 2):
            found, at = session.run([output, index], {number: i})
            np.testing.assert_array_equal(found, [i + 1.0, 2.0 * (i + 1.0)])
            assert at == i
        with pytest.raises(hf.errors.InvalidArgumentError):
            session.run(output, {number: 4})


def test_both_ways_of_a_switch_and_switches_after_each_other():
    x, a, b = hf.constant(3.0), hf.placeholder(hf.bool, []), hf.placeholder(hf.bool, [])
    no, yes = switch(x, a)
    inner_no, inner_yes = switch(yes, b)
    output, index = merge([-no, inner_no * 10.0, inner_yes * 100.0])
    gradient = hf.gradients(output, x)
    wanted = {(False, False): (0, -1.0), (True, False): (1, 10.0), (True, True): (2, 100.0)}
    with hf.Session() as session:
        for flags, (at, factor) in wanted.items():
            feed = dict(zip((a, b), flags, strict=True))
            assert session.run([output, index, *gradient], feed) == [3.0 * factor, at, factor]


def test_linear_layers_of_cells():
    rows = [hf.constant([[1.0, 2.0]]), hf.constant([[3.0]])]
    with hf.variable_scope("f"):
        plain = recurrent._linear(rows, 2, False, kernel_initializer=hf.ones_initializer())
    with hf.variable_scope("o"):
        ones = hf.ones_initializer()
        layer = recurrent._Linear(rows, 2, True, ones, ones)
    again = layer(rows) + layer(rows)
    assert [v.op.name for v in hf.global_variables()] == ["f/kernel", "o/kernel", "o/bias"]
    with hf.Session() as session:
        session.run(hf.global_variables_initializer())
        assert session.run(plain).tolist() == [[6.0, 6.0]]
        assert session.run(again).tolist() == [[14.0, 14.0]]
    with pytest.raises(ValueError, match="must be specified"):
        recurrent._linear([], 2, True)


def test_axes_of_sequences():
    x = hf.zeros([2, 3, 4])
    assert recurrent._transpose_batch_time(x).shape.as_list() == [3, 2, 4]
    assert recurrent._transpose_batch_time(x[0, 0]).shape.as_list() == [4]
    assert recurrent._best_effort_input_batch_size([x]) == 3
