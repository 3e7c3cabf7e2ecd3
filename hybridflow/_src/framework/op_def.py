"""Op records: all that the runtime knows of an op, in one frozen object.

    Maximum = OpDef(
        "Maximum", "x: T, y: T -> z: T", types=dtypes_of.REAL,
        shape=broadcast_shape, compute=np.maximum, grad=_maximum_grad, samples=...)

The signature names the inputs and outputs as TF's op definitions do: a dtype (`int32`), a type
variable (`T`), a repeated input (`N*T`: a list of tensors of one dtype), a list of any tensors
(`...`), a reference to a variable (`&T`), or for outputs the name of an attribute that holds a
dtype.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.signature import length_of_lists
from hybridflow._src.framework.signature import signature as signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.signature import Arg, Signature
    from hybridflow._src.framework.tensor import Tensor

# The records by TF op type.
OPS: dict[str, OpDef] = {}
# The line of a module at which each was made. A module that is imported again, because an interrupt
# came the first time, makes its records anew.
_made_at: dict[str, tuple[str, int] | None] = {}
# The enums of all dtypes but references.
_ANY = frozenset(range(dtypes.REF_OFFSET))
_NONE: frozenset[int] = frozenset()
# What `native` may be, beside a function.
ELEMENTWISE, OF_SHAPES = "elementwise", "of shapes"
_PACKAGE = os.path.dirname(os.path.dirname(__file__))
REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()
# What a gradient function gives for an input whose gradient is zero whatever the values: nothing is
# computed on the way (0 * inf is NaN), and a source that it alone reaches is given zeros, not None.
ZERO: Any = type("Zero", (), {"__repr__": lambda self: "ZERO"})()


def _module_line() -> tuple[str, int] | None:
    """The line of a module from which this is called, or None inside functions of others."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_name != "<module>":
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def not_differentiable(op: Any, *grads: Any) -> None:
    """The gradient of an op whose derivative is zero or means nothing: nothing flows out."""


def no_gradient(op: Any, *grads: Any) -> None:
    """The gradient of an op that has a derivative, which nobody has written: TF has none either.

    Raises:
      LookupError: always.
    """
    raise LookupError(
        f"No gradient defined for operation {op.name!r} (op type: {op.type}). Use "
        "`hf.stop_gradient` where none is wanted."
    )


class Sample:
    """One row of the test table: arguments and attributes for which an op must agree everywhere.

    Attributes:
      args: input values as arrays (lists of arrays for repeated inputs).
      attrs: attributes of the call.
      differentiable: check its gradient numerically (false at points where there is none).
    """

    __slots__ = ("args", "attrs", "differentiable")

    def __init__(self, *args: Any, differentiable: bool = True, **attrs: Any) -> None:
        self.args = args
        self.attrs = attrs
        self.differentiable = differentiable


class OpDef:
    """The record of one op. It is complete, or it cannot be built.

    Attributes:
      name: the TF op type.
      inputs, outputs: the parsed signature.
      types: dtypes allowed for each type variable (all, where a variable is not listed).
      defaults: attributes with their default values; `REQUIRED` where there is none.
      shape: shape rule: called with the attributes and the input tensors; gives the dims (a tuple
        with None for unknown, or None for unknown rank) of the output, or a list of them for
        several outputs. It raises ValueError for inputs that do not fit.
      compute: the NumPy meaning: called with the input arrays and the attributes as keywords; gives
        an array or a tuple of arrays that alias no input, unless `aliases`. For a stateful op, see
        `kernel`.
      kernel: instead of `compute`, for ops that keep state between runs: called with the attributes
        once per session and op; gives the function that computes. For a control flow op: called
        with the operation and the plans of its bodies, once per plan.
      grad: called with the op (`inputs`, `outputs`, `get_attr`) and a gradient tensor or None for
        each output; gives a gradient, `ZERO` or None for each input (one value alone stands for a
        single input), or a function that gives it, where it costs something and may not be wanted.
        Written
        with op functions, so it works in both modes and can itself be differentiated.
      native: how kernels compute it: `ELEMENTWISE` (they are generated from `compute`), `OF_SHAPES`
        (the value depends on the shapes of the inputs alone), a function that is called with a
        `Lowering`, the inputs as its values and the attributes, and gives values; or None: the
        NumPy meaning runs.
      kernels_from: from so many elements of its largest input on, eager mode has kernels compute it
        as soon as they are compiled; None: never, the NumPy meaning is as quick or nearly.
      samples: called with a NumPy Generator; gives `Sample`s.
      stateful: it must not be merged with its like, dropped or folded.
      only_checks: of a stateful op, it does nothing, but that it may fail.
      effect: "read" or "write": what it does to the variables among its inputs. "call": it has a
        body, which is all that it does; "lock": the first input is locked meanwhile. These two need
        no `compute`.
      checked: hold values against the shape rule too, eagerly and where a graph did not know
        their shapes, since the NumPy meaning accepts more than TF does.
      aliases: its output may be a view of an input.
      written: for an op that TensorFlow lacks, or has in another form: called with the `Nodes` that
        a file gets and the operation, writes nodes of TensorFlow's ops that compute it. Without it
        an operation is one node, of its own type, inputs and attributes.
      read: for an op that has attributes which files lack: called with those of a node; gives them.

    Worked out from these, for the quick ways through `dispatch`:
      plain: every input is one tensor, all of them of one type variable; there is one output.
      accepts: the enums of the dtypes that each type variable may have (any, where it has none).
      shared: for a plain op, the enums of the dtypes that its inputs may have.
      result: for a plain op, the dtype of the output, or None for that of the inputs.
      only: the output, where there is one alone that is a tensor, and no reference.
      required: the attributes without a default.

    `dispatch`, which stands above, sets `__call__`: what a call of a record does.
    """

    __slots__ = (
        "accepts",
        "aliases",
        "checked",
        "compute",
        "defaults",
        "effect",
        "grad",
        "inputs",
        "kernel",
        "kernels_from",
        "name",
        "native",
        "only",
        "only_checks",
        "outputs",
        "plain",
        "read",
        "required",
        "result",
        "samples",
        "shape",
        "shared",
        "stateful",
        "types",
        "variadic",
        "written",
    )

    name: str
    inputs: tuple[Arg, ...]
    outputs: tuple[Arg, ...]
    types: dict[str, frozenset[DType]]
    defaults: dict[str, Any]
    shape: Callable[..., Any]
    compute: Callable[..., Any] | None
    kernel: Callable[..., Callable[..., Any]] | None
    grad: Callable[..., Any]
    native: str | Callable[..., Any] | None
    kernels_from: int | None
    samples: Callable[[Any], Iterable[Sample]] | None
    stateful: bool
    only_checks: bool
    effect: str | None
    checked: bool
    aliases: bool
    variadic: bool
    written: Callable[[Any, Any], None] | None
    read: Callable[[dict[str, Any]], dict[str, Any]] | None
    required: tuple[str, ...]
    plain: bool
    accepts: dict[str, frozenset[int]]
    shared: frozenset[int]
    result: DType | None
    only: Arg | None

    def __init__(
        self,
        name: str,
        signature: str,
        *,
        shape: Callable[..., Any],
        grad: Callable[..., Any],
        samples: Callable[[Any], Iterable[Sample]] | None = None,
        compute: Callable[..., Any] | None = None,
        kernel: Callable[..., Callable[..., Any]] | None = None,
        types: Mapping[str, Sequence[DType]] | Sequence[DType] = (),
        attrs: Mapping[str, Any] | None = None,
        stateful: bool = False,
        only_checks: bool = False,
        effect: str | None = None,
        checked: bool = False,
        aliases: bool = False,
        native: str | Callable[..., Any] | None = None,
        kernels_from: int | None = None,
        written: Callable[[Any, Any], None] | None = None,
        read: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        if (compute is None) == (kernel is None) and effect not in ("call", "lock"):
            raise TypeError(f"Op {name!r}: exactly one of `compute` and `kernel` must be given.")
        for field, value in (("shape", shape), ("grad", grad)):
            if not callable(value):
                raise TypeError(f"Op {name!r}: `{field}` must be callable, got {value!r}.")
        if kernels_from is not None and (native is None or compute is None or stateful or effect):
            raise TypeError(f"Op {name!r}: no kernels compute it, so `kernels_from` means nothing.")
        made_at = _module_line()
        if name in OPS and (made_at is None or made_at != _made_at[name]):
            raise ValueError(f"Op {name!r} is registered already.")
        try:
            parsed = signature_of(signature)
        except ValueError as error:
            raise ValueError(f"Op {name!r}: {error}") from None
        # Variants are no arrays: no row of a table can hold one.
        variant = any(arg.dtype is dtypes.variant for arg in (*parsed.inputs, *parsed.outputs))
        if samples is None and not (stateful or effect or kernel or variant):
            raise TypeError(f"Op {name!r}: `samples` is missing, so no test would cover it.")
        defaults = dict(attrs) if attrs else {}
        allowed = _allowed(parsed, types)
        accepts = {
            arg.var: allowed[arg.var][1] if arg.var in allowed else _ANY
            for arg in parsed.inputs
            if arg.var
        }
        fields = {
            "name": name,
            "inputs": parsed.inputs,
            "outputs": parsed.outputs,
            "types": {var: known[0] for var, known in allowed.items()},
            "defaults": defaults,
            "shape": shape,
            "compute": compute,
            "kernel": kernel,
            "grad": grad,
            "samples": samples,
            "stateful": stateful or kernel is not None,
            "only_checks": only_checks,
            "effect": effect,
            "checked": checked,
            "aliases": aliases,
            "native": native,
            "kernels_from": kernels_from,
            "variadic": parsed.variadic,
            "written": written,
            "read": read,
            "required": tuple([key for key, value in defaults.items() if value is REQUIRED]),
            "plain": parsed.plain,
            "accepts": accepts,
            "result": parsed.outputs[0].dtype if parsed.outputs else None,
            "only": parsed.only,
            "shared": accepts[parsed.var or ""] if parsed.plain else _NONE,
        }
        for field, content in fields.items():
            object.__setattr__(self, field, content)
        _made_at[name] = made_at
        OPS[name] = self

    def __setattr__(self, field: str, value: Any) -> None:
        raise AttributeError(f"Op record {self.name!r} is frozen.")

    if TYPE_CHECKING:

        def __call__(self, *args: Any, name: str | None = None, **attrs: Any) -> Any:
            """Runs the op now (eager mode) or adds it to the default graph."""

    def __repr__(self) -> str:
        return f"<OpDef {self.name}>"

    def __reduce__(self) -> str:
        raise TypeError("Op records are not picklable; refer to an op by its name.")

    def type_attr(self, name: str, inputs: tuple[Tensor, ...]) -> DType | None:
        """The dtype that type variable `name` has for these inputs, or None if there is none."""
        at = 0
        for arg in self.inputs:
            if arg.var == name:
                return inputs[at].dtype.base_dtype if at < len(inputs) else None
            at += length_of_lists(self.inputs, len(inputs)) if arg.many else 1
        return None


# -- dtypes that an op takes -----------------------------------------------------------------------

# Sequences of dtypes by identity, with what is made of them: op records share a few.
_sets: dict[int, tuple[Any, frozenset[DType], frozenset[int]]] = {}


def _set(allowed: Sequence[DType]) -> tuple[frozenset[DType], frozenset[int]]:
    known = _sets.get(id(allowed))
    if known is None:
        enums = frozenset([dtype.as_datatype_enum for dtype in allowed])
        # The sequence is kept, so that no other one can get its identity.
        known = _sets[id(allowed)] = (allowed, frozenset(allowed), enums)
    return known[1:]


def _allowed(
    parsed: Signature, types: Mapping[str, Sequence[DType]] | Sequence[DType]
) -> dict[str, tuple[frozenset[DType], frozenset[int]]]:
    """The dtypes allowed for each type variable; a bare sequence is for "T", or the first."""
    if isinstance(types, Mapping):
        return {var: _set(allowed) for var, allowed in types.items()}
    if not types:
        return {}
    variables = [arg.var for arg in parsed.inputs if arg.var]
    return {"T" if "T" in variables else variables[0]: _set(types)}
