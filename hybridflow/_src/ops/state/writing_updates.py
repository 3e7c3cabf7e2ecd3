"""How updates that TensorFlow has no op for are written to files: as several of its ops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes

if TYPE_CHECKING:
    from hybridflow._src.framework.operation import Operation


def write_lazy_adam(nodes: Any, op: Operation) -> None:
    """Writes Adam's update, or that of the rows alone which a sparse gradient names."""
    if "Sparse" in op.type:
        _LazyAdam(nodes, op).write()
        return
    kind = op.type.replace("Lazy", "")
    attrs = {"T": _dtype(op), "use_locking": op.attrs["use_locking"], "use_nesterov": False}
    nodes.node(op, kind, [nodes.input(t) for t in op.inputs], attrs)


def _dtype(op: Operation) -> Any:
    return op.inputs[3].dtype.base_dtype  # of the power of beta1


class _LazyAdam:
    """The nodes of one update of rows; the formulas are those of `training`."""

    def __init__(self, nodes: Any, op: Operation) -> None:
        self._nodes = nodes
        self._op = op
        self._dtype = _dtype(op)
        self._resource = op.inputs[0].dtype is dtypes.resource

    def write(self) -> None:
        """Adds them."""
        var, m, v, power1, power2, rate, beta1, beta2, epsilon, grad, indices = [
            self._nodes.input(t) for t in self._op.inputs
        ]
        index = self._op.inputs[-1].dtype.base_dtype
        unique = self._nodes.add("Unique", self._name("rows"), [indices], T=index, out_idx=index)
        rows, places = self._nodes.output(unique), self._nodes.output(unique, 1)
        count = self._add("Size", "count", [rows], T=index, out_type=dtypes.int32)
        kinds = {"T": self._dtype, "Tindices": index, "Tnumsegments": dtypes.int32}
        summed = self._add("UnsortedSegmentSum", "grad", [grad, places, count], **kinds)
        one = self._add("Const", "one", [], dtype=self._dtype, value=np.array(1, self._dtype.np))

        def moved(mean: str, value: str, beta: str) -> str:
            before = self._rows(mean, rows, index)
            share = self._math("Sub", one, beta)
            change = self._math("Mul", self._math("Sub", value, before), share)
            return self._math("Add", before, change)

        new_m = moved(m, summed, beta1)
        new_v = moved(v, self._math("Mul", summed, summed), beta2)
        root = self._math("Sqrt", self._math("Sub", one, power2))
        rate = self._math("Mul", rate, root)
        rate = self._math("RealDiv", rate, self._math("Sub", one, power1))
        below = self._math("Add", self._math("Sqrt", new_v), epsilon)
        step = self._math("RealDiv", self._math("Mul", rate, new_m), below)
        done = [
            self._scatter(kind, variable, rows, value, index)
            for kind, variable, value in (
                ("Update", m, new_m),
                ("Update", v, new_v),
                ("Sub", var, step),
            )
        ]
        self._nodes.node(self._op, "NoOp", [f"^{name}" for name in done], {})

    def _name(self, name: str) -> str:
        return f"{self._op.name}/{name}"

    def _add(self, type_: str, name: str, inputs: list[str], **attrs: Any) -> str:
        node = self._nodes.add(type_, self._name(name), inputs, **attrs)
        return str(self._nodes.output(node))

    def _math(self, type_: str, *inputs: str) -> str:
        return self._add(type_, type_.lower(), list(inputs), T=self._dtype)

    def _rows(self, variable: str, rows: str, index: Any) -> str:
        """Some rows, when what the update waits for is done."""
        waits = self._nodes.waits(self._op)
        if self._resource:
            kinds = {"dtype": self._dtype, "Tindices": index}
            return self._add("ResourceGather", "gather", [variable, rows, *waits], **kinds)
        kinds = {"Tparams": self._dtype, "Tindices": index}
        return self._add("Gather", "gather", [variable, rows, *waits], **kinds)

    def _scatter(self, kind: str, variable: str, rows: str, value: str, index: Any) -> str:
        attrs: dict[str, Any] = {"Tindices": index}
        if self._resource:
            attrs["dtype"] = self._dtype
        else:
            attrs.update(T=self._dtype, use_locking=self._op.attrs["use_locking"])
        type_ = f"{'Resource' * self._resource}Scatter{kind}"
        node = self._nodes.add(type_, self._name("scatter"), [variable, rows, value], **attrs)
        return str(node.name)
