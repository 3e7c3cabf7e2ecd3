"""`TensorArray.grad` in graphs: arrays that add up what is written to them.

Like TensorFlow's they have one state in a run, whoever writes to them: the handle is the array, and
the flow orders what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import REQUIRED, OpDef, no_gradient
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import control_dependencies
from hybridflow._src.ops.data_flow.tensor_arrays import array_of

if TYPE_CHECKING:
    from hybridflow._src.framework.tensor import Tensor

OpDef(
    "ArrayItemsGradients",
    "items: variant -> handle: resource, flow: float32",
    attrs={"dtype": REQUIRED, "shape": REQUIRED, "array": "", "source": REQUIRED},
    shape=lambda attrs, items: [(2,), ()],
    compute=lambda items, dtype, shape, array, source: [
        array_of(items, dtype, shape, array).gradients_of(source),
        0.0,
    ],
    grad=no_gradient,
    stateful=True,
)


class GradientItems:
    """What an array of gradients does in graphs.

    Args:
      form: what is known of the elements.
      handle: the array. flow: a float32 scalar that stands for what was done with it so far.
    """

    def __init__(self, form: Any, handle: Tensor, flow: Tensor) -> None:
        self._form = form
        self.handle = handle
        self.flow = flow

    def with_flow(self, flow: Tensor) -> GradientItems:
        """The same array after something else."""
        return GradientItems(self._form, self.handle, flow)

    def identity(self) -> GradientItems:
        """The array, where control dependencies hold."""
        return self.with_flow(raw.Identity(self.flow))

    def gradients(self, source: str, flow: Tensor | None) -> GradientItems:
        """The array of the gradients of these gradients."""
        after = self.flow if flow is None else flow
        return opened(self._form, *raw.TensorArrayGradV3(self.handle, after, source=source))

    def _known(self, found: Tensor, rows: Any = ()) -> Tensor:
        dims = self._form.shape._dims
        if self._form.infer and dims is not None:
            found.set_shape([*rows, *dims])
        return found

    def read(self, index: Any, name: str | None) -> Tensor:
        """What was written for one element."""
        place = convert_to_tensor(index, dtypes.int32)
        dtype = self._form.dtype
        return self._known(
            raw.TensorArrayReadV3(self.handle, place, self.flow, dtype=dtype, name=name)
        )

    def write(self, index: Any, element: Tensor, name: str | None) -> GradientItems:
        """Adds to what was written for one element."""
        place = convert_to_tensor(index, dtypes.int32)
        return self.with_flow(
            raw.TensorArrayWriteV3(self.handle, place, element, self.flow, name=name)
        )

    def stack(self) -> Tensor:
        """All of them."""
        return self.gather(raw.Range(0, self.size(None), 1), None)

    def gather(self, indices: Any, name: str | None) -> Tensor:
        """Some of them."""
        places = convert_to_tensor(indices, dtypes.int32)
        form = self._form
        found: Tensor = raw.TensorArrayGatherV3(
            self.handle, places, self.flow, dtype=form.dtype, element_shape=form.shape, name=name
        )
        return found

    def concat(self, name: str | None) -> Tensor:
        """All of them in one row."""
        dtype = self._form.dtype
        found: Tensor = raw.TensorArrayConcatV3(self.handle, self.flow, dtype=dtype, name=name)[0]
        return found

    def unstack(self, rows: Tensor) -> GradientItems:
        """Adds the rows of a tensor."""
        size = raw.StridedSlice(raw.Shape(rows), [0], [1], [1], shrink_axis_mask=1)
        return self.scatter(raw.Range(0, size, 1), rows)

    def scatter(self, indices: Any, rows: Tensor) -> GradientItems:
        """Adds the rows of a tensor, at some places."""
        places = convert_to_tensor(indices, dtypes.int32)
        return self.with_flow(raw.TensorArrayScatterV3(self.handle, places, rows, self.flow))

    def split(self, rows: Tensor, lengths: Tensor) -> GradientItems:
        """Adds parts of a tensor."""
        return self.with_flow(raw.TensorArraySplitV3(self.handle, rows, lengths, self.flow))

    def size(self, name: str | None) -> Tensor:
        """Their number."""
        found: Tensor = raw.TensorArraySizeV3(self.handle, self.flow, name=name)
        return found

    def close(self, name: str | None) -> Any:
        """An operation."""
        return raw.TensorArrayCloseV3(self.handle, name=name)


def opened(form: Any, handle: Tensor, flow: Tensor) -> GradientItems:
    """An array that is used from here on."""
    with control_dependencies([handle.op]):
        return GradientItems(form, handle, raw.Identity(flow, name="gradient_flow"))
