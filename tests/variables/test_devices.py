"""Where ops of variables are placed: what TensorFlow 1.4.1 gives for the same programs."""

from __future__ import annotations

from typing import Any

import pytest

import hybridflow as hf


def on_servers(op: Any) -> str:
    """A device function of replicated programs: variables on servers, all else on workers."""
    return "/job:ps" if op.type in ("VariableV2", "VarHandleOp") else "/job:worker"


def placed(op: Any) -> tuple[str, list[bytes]]:
    op = getattr(op, "op", op)
    return op.device, op.colocation_groups()


@pytest.mark.parametrize("use_resource", [False, True])
class TestVariable:
    def test_its_ops_stand_beside_it(self, graph: hf.Graph, use_resource: bool) -> None:
        with hf.device(on_servers):
            v = hf.get_variable("v", [2], use_resource=use_resource)
            total = v + 1.0
        assert v.device == v.initializer.device == v.value().device == "/job:ps"
        assert total.device == "/job:worker"
        assert v.initializer.colocation_groups() == [b"loc:@v"]

    def test_of_plain_scopes_too(self, graph: hf.Graph, use_resource: bool) -> None:
        v = hf.get_variable("v", [2], use_resource=use_resource)
        assert placed(v.initializer) == ("", [b"loc:@v"])

    def test_beside_another(self, graph: hf.Graph, use_resource: bool) -> None:
        with hf.device("/job:ps"):
            v = hf.get_variable("v", [2], use_resource=use_resource)
        with hf.device("/job:worker"), hf.colocate_with(v.op):
            w = hf.get_variable("w", [2], use_resource=use_resource)
        assert placed(w) == placed(w.initializer) == ("/job:ps", [b"loc:@v"])

    def test_slots(self, graph: hf.Graph, use_resource: bool) -> None:
        with hf.device(on_servers):
            v = hf.get_variable("v", [2], use_resource=use_resource)
            optimizer = hf.train.AdamOptimizer()
            optimizer.apply_gradients([(hf.ones([2]), v)])
        slots = [optimizer.get_slot(v, name) for name in ("m", "v")]
        made = [*slots, *optimizer._get_beta_accumulators()]
        assert {slot.device for slot in made} == {"/job:ps"}


class TestReferences:
    """Ops that work on a variable kept by reference stand beside it, on its device."""

    @pytest.mark.parametrize("where", ["", "/job:ps"])
    def test_writes(self, graph: hf.Graph, where: str) -> None:
        with hf.device(where or None):
            v = hf.get_variable("v", [2])
        with hf.device("/job:worker"):
            writes = [
                v.assign([1.0, 2.0]),
                v.assign_add([1.0, 2.0]),
                hf.assign(v, [1.0, 2.0]),
                hf.scatter_update(v, [0], [1.0]),
                v[0:1].assign([1.0]),
                hf.is_variable_initialized(v),
            ]
            reads = [v.read_value(), v + 1.0, hf.identity(v), v[0]]
        assert {op.device for op in writes} == {where}
        assert all(op.op.colocation_groups() == [b"loc:@v"] for op in writes)
        assert {op.device for op in reads} == {"/job:worker"}

    def test_updates(self, graph: hf.Graph) -> None:
        with hf.device("/job:ps"):
            v = hf.get_variable("v", [2])
        with hf.device("/job:worker"):
            train = hf.train.MomentumOptimizer(0.1, 0.9).apply_gradients([(hf.ones([2]), v)])
        update = graph.get_operation_by_name("Momentum/update_v/ApplyMomentum")
        assert placed(update) == ("/job:ps", [b"loc:@v"])
        assert train.device == "/job:ps"


class TestResources:
    def test_writes_are_not_bound(self, graph: hf.Graph) -> None:
        with hf.device("/job:ps"):
            v = hf.get_variable("v", [2], use_resource=True)
        with hf.device("/job:worker"):
            new = v.assign([1.0, 2.0])
            part = v[0:1].assign([1.0])
        assert new.device == "/job:worker"
        assert part.device == "/job:ps"  # read on the variable's device


class TestCachingDevice:
    @pytest.mark.parametrize(
        ("use_resource", "wanted", "of_function"),
        [
            (False, "/job:ps/task:0/device:CPU:0", "/job:z/task:0/device:CPU:1"),
            (True, "/device:CPU:0", "/job:z"),
        ],
    )
    def test_on_a_device(
        self, graph: hf.Graph, use_resource: bool, wanted: str, of_function: str
    ) -> None:
        """With resource variables devices asked for around it do not count, as in TensorFlow."""
        with hf.device("/job:ps/task:0/cpu:1"):
            v = hf.get_variable("v", [2], use_resource=use_resource, caching_device="/cpu:0")
            w = hf.get_variable(
                "w", [2], use_resource=use_resource, caching_device=lambda op: "/job:z" + op.device
            )
        assert v.value().device == wanted
        assert w.value().device == of_function
        assert v.value().op.name == ("v/Read/Identity" if use_resource else "v/read")


class TestGroup:
    def test_of_one_device_is_there(self, graph: hf.Graph) -> None:
        with hf.device("/job:a"):
            a, b = hf.no_op(), hf.no_op()
        with hf.device("/job:c"):
            group = hf.group(a, b)
        assert (group.device, group.control_inputs) == ("/job:a", [a, b])

    def test_of_several_has_one_for_each(self, graph: hf.Graph) -> None:
        with hf.device("/job:b"):
            b = hf.no_op()
        with hf.device("/job:a"):
            a = hf.no_op()
        group = hf.group(b, a, name="both")
        assert [(op.name, op.device, op.control_inputs) for op in group.control_inputs] == [
            ("both/NoOp", "/job:a", [a]),
            ("both/NoOp_1", "/job:b", [b]),
        ]
        assert (group.name, group.device) == ("both", "")
