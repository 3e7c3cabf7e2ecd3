"""Signatures of ops, as TF's op definitions write them: "x: T, axis: int32 -> y: T"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridflow._src.framework import dtypes

if TYPE_CHECKING:
    from hybridflow._src.framework.dtypes import DType

__all__ = ["Arg", "Signature", "length_of_lists", "takes_variable"]


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
        name, _, kind = text.partition(":")
        kind = kind.strip()
        self.name = name.strip()
        self.ref = kind.startswith("&")
        kind = kind.lstrip("&")
        any_tensors = kind == "..."
        self.many = any_tensors or kind.startswith("N*")
        kind = kind.removeprefix("N*")
        known = None if any_tensors else getattr(dtypes, kind, None)
        self.dtype: DType | None = known if known.__class__ is dtypes.DType else None
        self.var: str | None = None if any_tensors or self.dtype is not None else kind


class Signature:
    """The inputs and outputs of an op.

    Attributes:
      inputs, outputs: an `Arg` each.
      variadic: an input stands for a list of tensors.
      var: the type variable of the first input, or None.
      plain: every input is one tensor, all of them of one type variable; there is one output.
      only: the output, where there is one alone that is a tensor, and no reference.
    """

    __slots__ = ("inputs", "only", "outputs", "plain", "var", "variadic")

    def __init__(self, text: str) -> None:
        left, arrow, right = text.partition("->")
        if not arrow:
            raise ValueError(f"the signature {text!r} has no '->'.")
        self.inputs = _args(left)
        self.outputs = _args(right)
        self.variadic = False
        self.var = self.inputs[0].var if self.inputs else None
        self.plain = self.var is not None and len(self.outputs) == 1
        for arg in self.inputs:
            self.variadic = self.variadic or arg.many
            self.plain = self.plain and arg.var == self.var and not arg.many and not arg.ref
        for arg in self.outputs:
            fits = arg.dtype is not None or arg.var == self.var
            self.plain = self.plain and fits and not arg.many and not arg.ref
        only = self.outputs[0] if len(self.outputs) == 1 else None
        self.only = None if only is None or only.many or only.ref else only


def length_of_lists(args: tuple[Arg, ...], count: int) -> int:
    """How long each list is among `count` inputs or outputs; of several all are of one length."""
    lists = sum([arg.many for arg in args])
    return (count - len(args) + lists) // lists if lists else 0


def takes_variable(args: tuple[Arg, ...], index: int) -> bool:
    """Whether an input of an op is a variable, not a value. A list of variables comes last."""
    if index < len(args):
        return args[index].ref
    return bool(args) and args[-1].many and args[-1].ref


def _args(text: str) -> tuple[Arg, ...]:
    parts = [part.strip() for part in text.split(",")]
    return tuple([_arg(part) for part in parts if part])


def _arg(text: str) -> Arg:
    arg = _known_args.get(text)
    if arg is None:
        arg = _known_args[text] = Arg(text)
    return arg


def signature(text: str) -> Signature:
    """The signature that `text` writes; many ops share one.

    Raises:
      ValueError: if it has no arrow.
    """
    found = _known.get(text)
    if found is None:
        found = _known[text] = Signature(text)
    return found


# Importing the package parses hundreds of signatures, most of them more than once.
_known_args: dict[str, Arg] = {}
_known: dict[str, Signature] = {}
