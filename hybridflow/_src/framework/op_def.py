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

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import dispatch, dtypes
from hybridflow._src.framework.registry import OPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.dtypes import DType
    from hybridflow._src.framework.tensor import Tensor

# The enums of all dtypes but references.
_ANY = frozenset(range(dtypes.REF_OFFSET))
REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()


def not_differentiable(op: Any, *grads: Any) -> None:
    """The gradient of an op that has none: whatever flows in, nothing flows out."""


class Arg:
    """One input or output of a signature.

    Attributes:
      name: as in TF's op definition.
      dtype: its dtype, or None if `var` decides.
      var: name of the type variable or attribute that decides, or None.
      many: it stands for a list of tensors.
      ref: it is a variable that the op works on (a reference or a resource handle), not a value.
    """

    __slots__ = ("dtype", "many", "name", "ref", "var")

    def __init__(self, text: str) -> None:
        self.name, _, kind = (part.strip() for part in text.partition(":"))
        self.ref = kind.startswith("&")
        kind = kind.lstrip("&")
        self.many = kind.startswith("N*") or kind == "..."
        kind = kind.removeprefix("N*")
        known = getattr(dtypes, kind, None) if kind != "..." else None
        self.dtype: DType | None = known if isinstance(known, dtypes.DType) else None
        self.var: str | None = None if self.dtype is not None or kind == "..." else kind


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
        each output; gives a gradient or None for each input (one value alone stands for a single
        input). Written with op functions, so it works in both modes and can itself be
        differentiated.
      samples: called with a NumPy Generator; gives `Sample`s.
      stateful: it must not be merged with its like, dropped or folded.
      effect: "read" or "write": what it does to the variables among its inputs.
      checked: run the shape rule in eager mode too, since the NumPy meaning accepts more than TF
        does.
      aliases: its output may be a view of an input.

    Worked out from these, for the quick ways through `dispatch`:
      plain: every input is one tensor, all of them of one type variable; there is one output.
      accepts: the enums of the dtypes that this type variable may have.
      result: for a plain op, the dtype of the output, or None for that of the inputs.
      required: the attributes without a default.
    """

    __slots__ = (
        "_frozen",
        "accepts",
        "aliases",
        "checked",
        "compute",
        "defaults",
        "effect",
        "grad",
        "inputs",
        "kernel",
        "name",
        "outputs",
        "plain",
        "required",
        "result",
        "samples",
        "shape",
        "stateful",
        "types",
        "variadic",
    )

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
        effect: str | None = None,
        checked: bool = False,
        aliases: bool = False,
    ) -> None:
        left, arrow, right = signature.partition("->")
        if not arrow:
            raise ValueError(f"Op {name!r}: the signature {signature!r} has no '->'.")
        if (compute is None) == (kernel is None):
            raise TypeError(f"Op {name!r}: exactly one of `compute` and `kernel` must be given.")
        if samples is None and not (stateful or effect or kernel):
            raise TypeError(f"Op {name!r}: `samples` is missing, so no test would cover it.")
        for field, value in (("shape", shape), ("grad", grad)):
            if not callable(value):
                raise TypeError(f"Op {name!r}: `{field}` must be callable, got {value!r}.")
        if name in OPS:
            raise ValueError(f"Op {name!r} is registered already.")
        self.name = name
        self.inputs = tuple(Arg(text) for text in left.split(",") if text.strip())
        self.outputs = tuple(Arg(text) for text in right.split(",") if text.strip())
        self.types = self._allowed(types)
        self.defaults: dict[str, Any] = dict(attrs or {})
        self.shape = shape
        self.compute = compute
        self.kernel = kernel
        self.grad = grad
        self.samples = samples
        self.stateful = stateful or kernel is not None
        self.effect = effect
        self.checked = checked
        self.aliases = aliases
        self.variadic = any(arg.many for arg in self.inputs)
        self.required = tuple(k for k, v in self.defaults.items() if v is REQUIRED)
        self._find_quick_way()
        self._frozen = True
        OPS[name] = self

    def _find_quick_way(self) -> None:
        variables = {arg.var for arg in self.inputs}
        var = self.inputs[0].var if self.inputs else None
        self.plain = (
            var is not None
            and variables == {var}
            and not any(arg.many or arg.ref for arg in (*self.inputs, *self.outputs))
            and len(self.outputs) == 1
            and (self.outputs[0].dtype is not None or self.outputs[0].var == var)
        )
        allowed = self.types.get(var or "")
        self.accepts = (
            _ANY if allowed is None else frozenset(dtype.as_datatype_enum for dtype in allowed)
        )
        self.result = self.outputs[0].dtype if self.outputs else None

    def _allowed(
        self, types: Mapping[str, Sequence[DType]] | Sequence[DType]
    ) -> dict[str, frozenset[DType]]:
        """The dtypes allowed for each type variable; a bare sequence is for "T", or the first."""
        if isinstance(types, Mapping):
            return {var: frozenset(allowed) for var, allowed in types.items()}
        if not types:
            return {}
        variables = [arg.var for arg in self.inputs if arg.var]
        return {"T" if "T" in variables else variables[0]: frozenset(types)}

    def __setattr__(self, field: str, value: Any) -> None:
        if hasattr(self, "_frozen"):
            raise AttributeError(f"Op record {self.name!r} is frozen.")
        object.__setattr__(self, field, value)

    def __call__(self, *args: Any, name: str | None = None, **attrs: Any) -> Any:
        """Runs the op now (eager mode) or adds it to the default graph."""
        return dispatch.call(self, args, attrs, name)

    def __repr__(self) -> str:
        return f"<OpDef {self.name}>"

    def __reduce__(self) -> str:
        raise TypeError("Op records are not picklable; refer to an op by its name.")

    def type_attr(self, name: str, inputs: tuple[Tensor, ...]) -> DType | None:
        """The dtype that type variable `name` has for these inputs, or None if there is none."""
        fixed_after = len(self.inputs)
        for position, arg in enumerate(self.inputs):
            if arg.var == name:
                index = position if position <= fixed_after else position - len(self.inputs)
                return inputs[index].dtype.base_dtype if inputs else None
            if arg.many:
                # Only one input can be repeated; what follows it counts from the end.
                fixed_after = position
        return None
