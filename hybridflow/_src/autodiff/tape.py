"""Gradients of eager programs: tapes record the ops that touch a watched tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hybridflow._src.autodiff.backprop import source_tensor
from hybridflow._src.autodiff.gradients import gradients
from hybridflow._src.autodiff.recorded import Recorded
from hybridflow._src.autodiff.tape_plan import planned_gradient
from hybridflow._src.autodiff.unconnected import UnconnectedGradients, fills, with_zeros
from hybridflow._src.framework import context, nest
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.described import Described
from hybridflow._src.framework.dtypes import variant
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.stack import Opener
from hybridflow._src.framework.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.dispatch import EagerOp
    from hybridflow._src.framework.stack import Opened, Pushed

_ONCE = (
    "GradientTape.gradient can only be called once on non-persistent tapes: it frees what it "
    "recorded. Use "
    "`hf.GradientTape(persistent=True)` to take several gradients."
)


class GradientTape(Described, Opener):
    """Records ops for automatic differentiation.

    Trainable variables are watched as soon as they are read; tensors by `watch`. Tapes nest: a
    gradient taken inside another tape is itself recorded there, which gives derivatives of any
    order. In graph mode `gradient` builds the gradient in the graph.

    Args:
      persistent: whether `gradient` may be called more than once.
      watch_accessed_variables: whether trainable variables are watched without being asked.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     x = hf.constant(3.0)
    ...     with hf.GradientTape() as outer:
    ...         outer.watch(x)
    ...         with hf.GradientTape() as inner:
    ...             inner.watch(x)
    ...             y = x * x * x
    ...         dy = inner.gradient(y, x)
    ...     d2y = outer.gradient(dy, x)
    >>> print(float(dy), float(d2y))
    27.0 18.0
    """

    _kept_as: ClassVar = {"watch_accessed_variables": "_watch_variables"}

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self._watch_variables = watch_accessed_variables
        self._opened: Opened | None = None
        self._used = False
        self._clear()

    def _clear(self) -> None:
        self._ops: list[EagerOp] = []
        # Watched tensors and everything computed from them; holding them keeps identities unique.
        self._tracked: set[Tensor] = set()
        self._variables: dict[Any, None] = {}

    def _open(self, opened: Opened) -> GradientTape:
        if self._opened is not None and self._opened.is_open:
            raise ValueError("Tape is already recording.")
        opened.push(context.tapes, (*context.tapes.top, self))
        self._opened = opened
        return self

    def watch(self, tensor: Any) -> None:
        """Starts to record what is computed from `tensor` (a tensor, variable, or nested list of
        them).

        Raises:
          TypeError: if it is neither.
        """
        if tensor.__class__ is EagerTensor:
            self._tracked.add(tensor)
            return
        for item in nest.flatten(tensor):
            source = source_tensor(item)
            if not isinstance(source, Tensor):
                raise TypeError(f"A tape watches tensors and variables, got {item!r:.200}.")
            self._tracked.add(source)
            if source is not item:
                self._variables[item] = None

    def watch_variable(self, variable: Any) -> None:
        """Called when a variable is read: watches it if it is trainable."""
        if self._watch_variables and variable.trainable and variable not in self._variables:
            self.watch(variable)

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables watched so far, in the order in which they were made."""
        return tuple(sorted(self._variables, key=lambda variable: getattr(variable, "_number", 0)))

    def tracks(self, tensors: Iterable[Tensor]) -> bool:
        """Tells whether one of `tensors` is watched, or computed from what is."""
        return not self._tracked.isdisjoint(tensors)

    def record(self, op: EagerOp) -> None:
        """Called by dispatch for each op that runs."""
        tracked = self._tracked
        if tracked.isdisjoint(op.inputs):
            return
        self._ops.append(op)
        for tensor in op.outputs:
            dtype = tensor._dtype
            if dtype.is_floating or dtype.is_complex or dtype is variant:
                tracked.add(tensor)

    def stop_recording(self) -> Pushed[Any, Any]:
        """A context manager in which this tape records nothing."""
        return context.tapes.scope(tuple(t for t in context.tapes.top if t is not self))

    def reset(self) -> None:
        """Forgets everything recorded and watched."""
        self._clear()

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """The gradients of the sum of `target` with respect to `sources`.

        Args:
          target: tensor or nested structure of tensors.
          sources: tensor, variable or nested structure of them.
          output_gradients: a gradient for each target, or None for ones.
          unconnected_gradients: of TensorFlow 1.15; a member of `UnconnectedGradients`, or its
            value.

        Returns: the structure of `sources` with a tensor, `IndexedSlices`, or, where the target
        does not depend on it, what `unconnected_gradients` says.

        Raises:
          RuntimeError: at the second call, unless the tape is persistent.
          ValueError: for another `unconnected_gradients`.
        """
        filled = fills(unconnected_gradients)
        flat_sources = nest.flatten(sources)
        given = None if output_gradients is None else nest.flatten(output_gradients)
        if not context.modes.top.eager:
            result = gradients(
                nest.flatten(target),
                flat_sources,
                given,
                unconnected_gradients=unconnected_gradients,
            )
            return nest.pack_sequence_as(sources, result)
        if self._used and not self.persistent:
            raise RuntimeError(_ONCE)
        self._used = True
        if self._opened is not None and not self.persistent:
            self._opened.close()
        targets = [
            t if t.__class__ is EagerTensor else convert_to_tensor(source_tensor(t))
            for t in nest.flatten(target)
        ]
        seeds = [
            None if g is None else convert_to_tensor(g) for g in given or [None] * len(targets)
        ]
        wanted = [source_tensor(s) for s in flat_sources]
        recorded = Recorded(self._ops, self._tracked, targets, seeds, wanted)
        # What other tapes record takes the ordinary way.
        planned = None if context.tapes.entries[-1].item else planned_gradient(recorded)
        result = recorded.gradient() if planned is None else planned
        if not self.persistent:
            variables = self._variables
            self._clear()
            self._variables = variables
        if filled:
            result = with_zeros(result, flat_sources)
        return nest.pack_sequence_as(sources, result)
