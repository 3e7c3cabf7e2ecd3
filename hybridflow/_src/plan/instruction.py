"""One step of a plan: an op applied to numbered buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework import dispatch
from hybridflow._src.framework.errors import OpError, foreign_error
from hybridflow._src.plan.nested import Nested, run_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.plan.nested import RunBody


class Watch:
    """Told of each instruction that has run, and of what it gave."""

    def __call__(self, step: Instruction, results: Sequence[Any]) -> None:
        raise NotImplementedError

    def inside(self, step: Instruction) -> RunBody:
        """How the bodies of a step are run."""
        return run_body


class Instruction(NamedTuple):
    """One step: `compute` applied to the buffers `inputs` (and `attrs`), results into `outputs`.

    `release` are the buffers that nothing later uses. `locked` is the buffer of the variable whose
    lock is held meanwhile, and between it and its neighbours with the same one. `unproven` means
    that the shape rule has to see the values, since it did not know enough of them in the graph.
    """

    op: Operation
    compute: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: dict[str, Any]
    release: tuple[int, ...]
    locked: int | None = None
    unproven: bool = False

    def results(
        self,
        inputs: list[Any],
        watch: Watch | None = None,
        given: Mapping[int, Any] | None = None,
    ) -> Sequence[Any]:
        """Runs it: what it gives for each of its outputs.

        Args:
          watch: told of what bodies of it do.
          given: what instructions of bodies gave already, by their identity; for a loop, where it
            stopped.

        Raises:
          OpError: of the class that fits what went wrong, with the op.
        """
        try:
            if self.unproven:
                dispatch.check_values(self.op.record, self.op.name, inputs, self.op.attrs)
            if isinstance(self.compute, Nested) and (given or watch is not None):
                run = run_body if watch is None else watch.inside(self)
                known = given.get(id(self), given) if given else None
                result: Any = self.compute.run(inputs, run, known)
            else:
                result = self.compute(*inputs, **self.attrs)
        except Exception as error:
            problem = explained(error, self.op, inputs)
            if problem is error:
                raise
            raise problem from error
        if (
            len(self.outputs) == 1
            and result.__class__ is not tuple
            and result.__class__ is not list
        ):
            return (result,)
        return result if self.outputs else ()


def explained(error: Exception, op: Operation, inputs: list[Any]) -> Exception:
    """The error to raise for one that an op raised: with the op, and shapes where they matter."""
    if not isinstance(error, OpError):
        if isinstance(error, (ValueError, TypeError, IndexError, OverflowError, MemoryError)):
            error = dispatch.explain(op.record, op.name, inputs, op.attrs, error)
        else:
            error = foreign_error(error, f" in '{op.name}' (op: '{op.type}').")
    if error._op is None:
        error._op = op
    return error
