"""What to write instead: the last sentence of errors that many people meet in their first hour.

Longer texts stand beside the code that raises; these are asked for in more than one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.framework.errors import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hybridflow._src.framework.dtypes import DType

_PRODUCT = (
    " Matrix size-incompatible: the inner sizes of a product must be equal, [m,k] times [k,n]. "
    "`transpose_a=True` or `transpose_b=True` turns a matrix, `hf.expand_dims(v, 1)` makes one of "
    "a vector."
)
_BY_OP = {
    "MatMul": _PRODUCT,
    "BatchMatMul": _PRODUCT,
    "Reshape": " One size may be -1: it is worked out from the others.",
    "ConcatV2": " All sizes must be equal but that of `axis`.",
}
_BROADCAST = (
    " Sizes must be equal, or 1, counted from the last dimension: `hf.expand_dims(t, axis)` adds a "
    "dimension of size 1."
)


# What NumPy's arrays and PyTorch's tensors have as attributes, and what stands for it here. {v} is
# the tensor or variable, {a} its value as an array.
_INSTEAD = {
    "T": "hf.transpose({v})",
    "all": "hf.reduce_all({v})",
    "any": "hf.reduce_any({v})",
    "argmax": "hf.argmax({v})",
    "argmin": "hf.argmin({v})",
    "astype": "hf.cast({v}, dtype)",
    "backward": "hf.GradientTape` or `hf.gradients(y, x)",
    "clip": "hf.clip_by_value({v}, low, high)",
    "copy": "hf.identity({v})",
    "cumprod": "hf.cumprod({v})",
    "cumsum": "hf.cumsum({v})",
    "detach": "hf.stop_gradient({v})",
    "dim": "{v}.shape.ndims",
    "dot": "hf.matmul({v}, b)",
    "expand": "hf.tile({v}, multiples)",
    "flatten": "hf.reshape({v}, [-1])",
    "grad": "hf.GradientTape` or `hf.gradients(y, x)",
    "item": "{a}.item()",
    "max": "hf.reduce_max({v})",
    "mean": "hf.reduce_mean({v})",
    "min": "hf.reduce_min({v})",
    "mm": "hf.matmul({v}, b)",
    "nbytes": "{a}.nbytes",
    "ndim": "{v}.shape.ndims",
    "permute": "hf.transpose({v}, perm)",
    "prod": "hf.reduce_prod({v})",
    "ravel": "hf.reshape({v}, [-1])",
    "repeat": "hf.tile({v}, multiples)",
    "requires_grad": "tape.watch({v})` in `hf.GradientTape",
    "reshape": "hf.reshape({v}, shape)",
    "round": "hf.round({v})",
    "size": "hf.size({v})",
    "sort": "hf.nn.top_k({v}, k)",
    "squeeze": "hf.squeeze({v})",
    "std": "hf.nn.moments({v}, axes)",
    "sum": "hf.reduce_sum({v})",
    "take": "hf.gather({v}, indices)",
    "to": "hf.cast({v}, dtype)",
    "tolist": "{a}.tolist()",
    "transpose": "hf.transpose({v}, perm)",
    "type": "hf.cast({v}, dtype)",
    "unsqueeze": "hf.expand_dims({v}, axis)",
    "var": "hf.nn.moments({v}, axes)",
    "view": "hf.reshape({v}, shape)",
}


class Lacking:
    """An attribute that is not there: who asks for it is told why, or what to write instead.

    A class with such attributes needs no `__getattr__`, which would make all others slower.

    Args:
      name: the attribute.
      why: the error, with {kind} for the class.
    """

    def __init__(self, name: str, why: str) -> None:
        self._name = name
        self._why = why

    def __get__(self, owner: Any, kind: type) -> Any:
        if owner is None:
            raise AttributeError(f"type object {kind.__name__!r} has no attribute {self._name!r}")
        array = "t.numpy()" if hasattr(owner, "numpy") else "session.run(t)"
        # With a name and no object Python adds nothing of its own.
        raise AttributeError(self._why.format(kind=kind.__name__, v="t", a=array), name=self._name)


def advise_on_attributes(kind: Any) -> None:
    """Has tensors or variables say what stands for the attributes of arrays that they lack."""
    for name, instead in _INSTEAD.items():
        why = f"{{kind!r}} object has no attribute {name!r}: write `{instead}`."
        setattr(kind, name, Lacking(name, why))
    kind.__dir__ = _attributes


def _attributes(owner: Any) -> list[str]:
    """What `dir` gives: what is there."""
    return [name for name in object.__dir__(owner) if name not in _INSTEAD or hasattr(owner, name)]


def on_shapes(op_type: str, problem: str) -> str:
    """What to do about shapes that do not fit an op; an empty string where nothing is known."""
    if problem.startswith("Incompatible shapes"):
        return _BROADCAST
    return _BY_OP.get(op_type, "")


_RANKS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def cast_to_wider(first: str, dtype: DType, second: str, other: DType) -> str:
    """How to bring two arguments to one dtype: to that of theirs which keeps more.

    Returns: the end of a sentence; an empty string where one of them is no number.
    """
    if not {dtype.np.kind, other.np.kind} <= _RANKS.keys():
        return ""
    name, wider = (first, other) if _width(other) > _width(dtype) else (second, dtype)
    return f": `hf.cast({name}, hf.{wider.name})` converts '{name}'"


def cast_to_allowed(name: str, dtype: DType, allowed: Collection[DType]) -> str:
    """How to bring an argument to a dtype that an op takes: float32, int32 or bool.

    Returns: a sentence behind ". ", or an empty string where no cast will do.
    """
    if dtype.np.kind in _RANKS:
        for wanted in ("float32", "int32", "bool"):
            if any(other.name == wanted for other in allowed):
                return f". `hf.cast({name}, hf.{wanted})` converts it"
    return ""


def _width(dtype: DType) -> tuple[int, int, bool]:
    return _RANKS[dtype.np.kind], dtype.size, not dtype.is_unsigned


def made_at(op: Any) -> str:
    """The user's line that made an operation, in brackets behind a space; or an empty string."""
    frame = getattr(op, "user_frame", None)
    if frame is None:
        return ""
    filename, line, source = frame
    return f" (made at {filename}:{line}{': ' + source if source else ''})"


def explained(check: Callable[[], Any], text: Callable[[], str]) -> Any:
    """What `check` gives; where shapes do not fit, a text says what they are the shapes of.

    Raises:
      ShapeError: as `check` does, behind that text.
    """
    try:
        return check()
    except ValueError as error:
        raise ShapeError(f"{text()}: {getattr(error, 'message', error)}") from None
