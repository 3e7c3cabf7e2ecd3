"""`graph_util`: parts of graphs, constants for variables, nodes that only training needs."""

from __future__ import annotations

import numpy as np
import pytest

import hybridflow as hf


@pytest.fixture
def graph():
    with hf.Graph().as_default() as graph:
        yield graph


def names(message):
    return [node.name for node in message.node]


def graph_def(*nodes):
    """A graph of nodes that are (op type, name, inputs)."""
    found = hf.GraphDef()
    for type_, name, inputs in nodes:
        found.node.add(op=type_, name=name, input=inputs)
    return found


class TestParts:
    def test_what_nodes_need(self, graph):
        a, b = hf.constant(1.0, name="a"), hf.constant(2.0, name="b")
        with hf.control_dependencies([hf.no_op(name="first")]):
            hf.add(a, 1.0, name="c")
        hf.multiply(b, 2.0, name="d")
        message = hf.graph_util.extract_sub_graph(graph.as_graph_def(), ["c"])
        assert names(message) == ["a", "first", "c/y", "c"]
        assert message.versions == graph.as_graph_def().versions

    def test_functions_that_are_used_stay(self, graph):
        x = hf.placeholder(hf.float32, [], name="x")
        hf.cond(x > 0.0, lambda: x, lambda: -x, name="y")
        hf.cond(x > 1.0, lambda: x * 7.0, lambda: x, name="z")
        (y,) = [op.name for op in graph.get_operations() if op.name.endswith("y/Merge")] or ["y"]
        whole = graph.as_graph_def()
        message = hf.graph_util.extract_sub_graph(whole, [y])
        assert 0 < len(message.library.function) <= len(whole.library.function)
        with hf.Graph().as_default(), hf.Session() as session:
            hf.import_graph_def(message, name="")
            assert session.run(f"{y}:0", {"x:0": -3.0}) == 3.0

    def test_names_that_there_are_not(self, graph):
        hf.no_op(name="a")
        with pytest.raises((AssertionError, ValueError), match="not in graph"):
            hf.graph_util.extract_sub_graph(graph.as_graph_def(), ["b"])
        with pytest.raises(TypeError):
            hf.graph_util.extract_sub_graph(graph.as_graph_def(), "a")


class TestConstants:
    @pytest.mark.parametrize("use_resource", [False, True])
    def test_variables_in_conditions_and_loops(self, graph, use_resource):
        """Those that are read there, and in functions inside of functions."""
        with hf.variable_scope("net", use_resource=use_resource):
            w = hf.get_variable("w", initializer=[2.0, 3.0])
        x = hf.placeholder(hf.float32, [2], name="x")
        chosen = hf.cond(x[0] > 0.0, lambda: w * x, lambda: w)
        cases = hf.case([(x[0] > 9.0, lambda: x)], default=lambda: w)

        def step(i, a):
            return i + 1, hf.cond(a[0] > 3.0, lambda: a * w, lambda: a + w)

        _, repeated = hf.while_loop(lambda i, a: i < 3, step, [0, x])
        hf.stack([chosen, cases, repeated], name="y")
        with hf.Session() as session:
            session.run(w.initializer)
            fed = [{"x:0": value} for value in ([1.0, 2.0], [-1.0, 0.5])]
            wanted = [session.run("y:0", feed) for feed in fed]
            frozen = hf.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), ["y"]
            )
        used = hf.contrib.util.ops_used_by_graph_def(frozen)
        assert not [op for op in used if "Var" in op]
        with hf.Graph().as_default(), hf.Session() as session:
            hf.import_graph_def(frozen, name="")
            for feed, value in zip(fed, wanted, strict=True):
                np.testing.assert_array_equal(session.run("y:0", feed), value)

    @pytest.mark.parametrize("use_resource", [False, True])
    def test_variables_become_constants(self, graph, use_resource):
        x = hf.placeholder(hf.float32, [None, 2], name="x")
        with hf.variable_scope("net", use_resource=use_resource):
            w = hf.get_variable("w", initializer=np.array([[1.0], [2.0]], np.float32))
        y = hf.matmul(x, w, name="y")
        hf.train.AdamOptimizer().minimize(hf.reduce_sum(y))
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            frozen = hf.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), ["y"]
            )
        assert not {"VariableV2", "VarHandleOp", "ReadVariableOp"} & {n.op for n in frozen.node}
        with hf.Graph().as_default(), hf.Session() as session:
            hf.import_graph_def(frozen, name="")
            assert session.run("y:0", {"x:0": [[3.0, 4.0]]}) == [[11.0]]

    def test_some_of_them(self, graph):
        v = hf.get_variable("v", initializer=1.0)
        w = hf.get_variable("w", initializer=2.0)
        hf.add(v, w, name="y")
        with hf.Session() as session:
            session.run(hf.global_variables_initializer())
            message, convert = graph.as_graph_def(), hf.graph_util.convert_variables_to_constants
            some = convert(session, message, ["y"], variable_names_whitelist=["v"])
            others = convert(session, message, ["y"], variable_names_blacklist=["v"])
        kinds = [{n.name: n.op for n in found.node} for found in (some, others)]
        assert [(k["v"], k["w"]) for k in kinds] == [
            ("Const", "VariableV2"),
            ("VariableV2", "Const"),
        ]


class TestTraining:
    def test_checks_and_identities(self):
        """Nobody waits for a check that is not made, or passes through what does nothing."""
        message = graph_def(
            ("Const", "a", []),
            ("CheckNumerics", "check", ["a"]),
            ("Identity", "b", ["a", "^check"]),
            ("Identity", "c", ["b"]),
            ("Identity", "waits", ["a", "^other"]),
            ("NoOp", "other", []),
            ("Add", "d", ["c", "waits"]),
            ("Neg", "e", ["check", "^c"]),
        )
        found = hf.graph_util.remove_training_nodes(message)
        assert {node.name: list(node.input) for node in found.node} == {
            "a": [],
            "waits": ["a", "^other"],
            "other": [],
            "d": ["a", "waits"],
            "e": ["a", "^a"],
        }
        assert not found.HasField("library")
        assert not found.HasField("versions")
        kept = hf.graph_util.remove_training_nodes(message, protected_nodes=["b", "check"])
        assert names(kept) == ["a", "check", "b", "waits", "other", "d", "e"]
        assert list(kept.node[2].input) == ["a", "^check"]


def test_what_must_run_on_the_cpu(graph):
    must = hf.graph_util.must_run_on_cpu
    text, number = hf.constant("a").op, hf.constant(1.0).op
    assert must(text)
    assert must(text.node_def)
    assert not must(number)
    assert not must(number.node_def)
    v = hf.Variable(1.0)
    assert must(v.op, pin_variables_on_cpu=True)
    assert not must(v.op)
