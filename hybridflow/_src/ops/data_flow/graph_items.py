"""The elements of a tensor array in a graph: a tensor of dtype variant, from op to op."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.default_graph import get_default_graph
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.static_value import constant_value
from hybridflow._src.framework.tensor_shape import TensorShape
from hybridflow._src.ops.arrays.reshaping import of_rows
from hybridflow._src.ops.control_flow.ordering import current_body, no_op
from hybridflow._src.ops.data_flow.gradient_items import GradientItems, opened

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor


class GraphItems:
    """What a `TensorArray` does in graphs.

    Args:
      form: what is known of the elements; shared with other arrays.
      flow: the elements.
      rows: the tensor that they are the rows of, where they are. To read a row of a tensor is
        quicker than to make elements of all, and its gradient too.
      fresh: whether nothing was written yet.
    """

    def __init__(
        self, form: Any, flow: Tensor, rows: Tensor | None = None, fresh: bool = False
    ) -> None:
        self._form = form
        self.flow = flow
        self._rows = rows
        self._fresh = fresh

    @classmethod
    def of_size(cls, form: Any, size: Any, scope: str) -> GraphItems:
        """Elements that nobody has written."""
        count = convert_to_tensor(size, dtypes.int32)
        static = constant_value(count)
        if static is not None and not form.dynamic:
            form.size = int(static)
        flow = raw.ArrayItems(count, dtype=form.dtype, array=form.name, name=scope)
        return cls(form, flow, fresh=True)

    def _next(self, flow: Tensor, rows: Tensor | None = None) -> GraphItems:
        return GraphItems(self._form, flow, rows)

    @property
    def handle(self) -> Tensor:
        """The elements: an array has no other place."""
        return self.flow

    def with_flow(self, flow: Tensor) -> GraphItems:
        """Other elements."""
        return self._next(flow)

    def gradients(self, source: str, flow: Tensor | None) -> GradientItems:
        """The array of their gradients, the same one for all arrays made of one another."""
        form = self._form
        known = form.gradients.get(source)
        if known is None or not _is_there(known):
            items = self.flow if flow is None or flow.dtype is not dtypes.variant else flow
            known = raw.ArrayItemsGradients(items, **self._reading(), source=source)[0]
            form.gradients[source] = known
        made = known.op.outputs[1]
        return opened(form, known, made if flow is None or flow.dtype is dtypes.variant else flow)

    def _reading(self) -> dict[str, Any]:
        form = self._form
        shape = form.shape if form.infer else TensorShape.of(None)
        return {"dtype": form.dtype, "shape": shape, "array": form.name}

    def _writing(self) -> dict[str, Any]:
        return {"array": self._form.name, "dynamic": self._form.dynamic}

    def identity(self) -> GraphItems:
        """The same elements, where control dependencies hold."""
        return self._next(raw.Identity(self.flow), self._rows)

    def read(self, index: Any, name: str | None) -> Tensor:
        """One element."""
        place = convert_to_tensor(index, dtypes.int32)
        name = name or "TensorArrayReadV3"
        found: Tensor
        if self._rows is not None:
            found = raw.GatherV2(self._rows, place, 0, name=name)
        else:
            found = raw.ArrayItemsRead(self.flow, place, **self._reading(), name=name)
        return found

    def write(self, index: Any, element: Tensor, name: str | None) -> GraphItems:
        """One more element."""
        place = convert_to_tensor(index, dtypes.int32)
        name = name or "TensorArrayWrite/TensorArrayWriteV3"
        return self._next(
            raw.ArrayItemsWrite(self.flow, place, element, **self._writing(), name=name)
        )

    def stack(self) -> Tensor:
        """All of them."""
        if self._rows is not None:
            rows: Tensor = raw.Identity(self._rows)
            return rows
        found: Tensor = raw.ArrayItemsStack(
            self.flow, **self._reading(), name="TensorArrayGatherV3"
        )
        if self._form.size is not None and found._dims is not None:
            found.set_shape([self._form.size, *found._dims[1:]])
        return found

    def gather(self, indices: Any, name: str | None) -> Tensor:
        """Some of them."""
        places = convert_to_tensor(indices, dtypes.int32)
        name = name or "TensorArrayGatherV3"
        found: Tensor = raw.ArrayItemsGather(self.flow, places, **self._reading(), name=name)
        return found

    def concat(self, name: str | None) -> Tensor:
        """All of them in one row."""
        name = name or "TensorArrayConcatV3"
        found: Tensor = raw.ArrayItemsConcat(self.flow, **self._reading(), name=name)[0]
        return found

    def unstack(self, rows: Tensor) -> GraphItems:
        """The rows of a tensor."""
        count = None if rows._dims is None else rows._dims[0]
        if self._fresh and count is not None and count == self._form.size:
            return self._next(raw.UnstackAll(rows), of_rows(rows))
        size = raw.StridedSlice(raw.Shape(rows), [0], [1], [1], shrink_axis_mask=1)
        return self.scatter(raw.Range(0, size, 1), rows)

    def scatter(self, indices: Any, rows: Tensor) -> GraphItems:
        """The rows of a tensor, at some places."""
        places = convert_to_tensor(indices, dtypes.int32)
        return self._next(
            raw.ArrayItemsScatter(
                self.flow, places, rows, **self._writing(), name="TensorArrayScatterV3"
            )
        )

    def split(self, rows: Tensor, lengths: Tensor) -> GraphItems:
        """Parts of a tensor."""
        return self._next(
            raw.ArrayItemsSplit(
                self.flow, rows, lengths, **self._writing(), name="TensorArraySplitV3"
            )
        )

    def size(self, name: str | None) -> Tensor:
        """Their number."""
        found: Tensor = raw.ArrayItemsSize(self.flow, name=name or "TensorArraySizeV3")
        return found

    def close(self, name: str | None) -> Any:
        """An operation."""
        return no_op(name=name or "TensorArrayCloseV3")


def _is_there(tensor: Tensor) -> bool:
    """Whether ops made now can use a tensor."""
    owner = tensor.op.body
    return tensor.graph is get_default_graph() and (owner is None or owner.encloses(current_body()))
