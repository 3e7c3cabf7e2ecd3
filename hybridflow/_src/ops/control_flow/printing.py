"""`print`: values of tensors as text, wherever a program has them."""

from __future__ import annotations

import builtins
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.op_def import OpDef, Sample, not_differentiable
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.settings import whole
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.framework.tensor import Tensor
from hybridflow._src.ops import shape_rules
from hybridflow._src.platform import tf_logging

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["print"]


# -- text ------------------------------------------------------------------------------------------


def _shown(value: Any, summarize: int) -> str:
    """A value as TensorFlow prints it: the first and the last elements along each axis."""
    array = np.asarray(value)
    return _rows(array, summarize, 1) if array.ndim else _element(array[()])


def _rows(array: np.ndarray, summarize: int, depth: int) -> str:
    count = len(array)
    numbers = list(range(count))
    cut = summarize >= 0 and count > 2 * summarize
    parts = [_part(array[i], summarize, depth) for i in (numbers[:summarize] if cut else numbers)]
    if cut:
        last = numbers[count - summarize :]
        parts += ["...", *(_part(array[i], summarize, depth) for i in last)]
    between = "\n" * (array.ndim - 1) + " " * depth if array.ndim > 1 else " "
    return f"[{between.join(parts)}]"


def _part(value: Any, summarize: int, depth: int) -> str:
    return _rows(value, summarize, depth + 1) if isinstance(value, np.ndarray) else _element(value)


def _element(value: Any) -> str:
    if isinstance(value, bytes):
        return f'"{value.decode(errors="replace")}"'
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, np.complexfloating):
        return f"({_number(value.real)},{_number(value.imag)})"
    return _number(value) if isinstance(value, np.floating) else str(value)


def _number(value: np.floating) -> str:
    """The shorter one of two texts, where it is exact."""
    short, exact = (15, 17) if value.dtype == np.float64 else (6, 9)
    text = f"{value:.{short}g}"
    return text if value.dtype.type(text) == value else f"{value:.{exact}g}"


class _Place:
    """Stands for a tensor inside a structure, which Python writes out around it."""

    def __repr__(self) -> str:
        return _PLACE


_PLACE = "\0"


def _placed(item: Any, tensors: list[Any]) -> Any:
    """A structure with places for its tensors, which are put into the list."""
    if isinstance(item, SparseTensor):
        parts = [_placed(part, tensors) for part in item._parts()]
        return _Sparse(*parts)
    if isinstance(item, Tensor) or hasattr(item, "_as_graph_element"):
        tensors.append(item)
        return _Place()
    if isinstance(item, dict):
        return {key: _placed(value, tensors) for key, value in item.items()}
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*[_placed(value, tensors) for value in item])
    if isinstance(item, list | tuple):
        return type(item)([_placed(value, tensors) for value in item])
    return item


class _Sparse:
    def __init__(self, indices: Any, values: Any, shape: Any) -> None:
        self._parts = indices, values, shape

    def __repr__(self) -> str:
        indices, values, shape = self._parts
        return f"SparseTensor(indices={indices}, values={values}, shape={shape})"


# -- the operations --------------------------------------------------------------------------------


def _format(*values: Any, template: str, placeholder: str, summarize: int) -> np.ndarray:
    between = template.split(placeholder)
    texts = [_shown(value, summarize) for value in values]
    whole_text = "".join(part for pair in zip(between, [*texts, ""], strict=True) for part in pair)
    return np.array(whole_text.encode(), object)


def _format_samples(rng: np.random.Generator) -> Iterable[Sample]:
    for dtype in (np.float32, np.float64):
        values = [rng.normal(size=dims).astype(dtype) for dims in ((2, 9), (), (0,))]
        yield Sample(values, template="a %s b %s%s", differentiable=False)


_string_format = OpDef(
    "StringFormat",
    "inputs: ... -> output: string",
    attrs={"template": "%s", "placeholder": "%s", "summarize": 3},
    shape=shape_rules.scalar,
    compute=_format,
    grad=not_differentiable,
    samples=_format_samples,
)


def _stream(output_stream: Any) -> str:
    """The name by which an operation knows where it prints."""
    if output_stream is sys.stdout:
        return "stdout"
    if output_stream is None or output_stream is sys.stderr:
        return "stderr"
    if isinstance(output_stream, str) and output_stream.startswith("file://"):
        return output_stream
    for name in ("info", "warning", "error"):
        if output_stream in (getattr(tf_logging, name), getattr(logging, name)):
            return f"log({name})"
    raise ValueError(
        f"Unknown output_stream {output_stream!r:.100}: it is sys.stdout, sys.stderr, a function "
        "of hf.logging (info, warning, error), or a string file://PATH."
    )


def _write(text: Any, output_stream: str, end: str) -> None:
    words = text.item().decode(errors="replace")
    if output_stream.startswith("file://"):
        with open(output_stream.removeprefix("file://"), "a", encoding="utf-8") as file:
            file.write(words + end)
    elif output_stream.startswith("log("):
        getattr(tf_logging, output_stream[4:-1])("%s", words)
    else:
        # The stream of this moment: tests and notebooks put others in place of it.
        builtins.print(words, end=end, file=getattr(sys, output_stream), flush=True)


_print = OpDef(
    "PrintV2",
    "input: string ->",
    attrs={"output_stream": "stderr", "end": "\n"},
    shape=lambda attrs, _: [],
    compute=_write,
    grad=not_differentiable,
    stateful=True,
)


def print(*inputs: Any, **kwargs: Any) -> Any:
    """Prints values, those of tensors where and when a program has them.

    In a graph it is an operation: fetch it, or make what is computed wait for it with
    `control_dependencies`. Of TensorFlow 1.15.

    Args:
      inputs: tensors, other values, and lists, tuples and dicts of them.
      output_stream: `sys.stderr` (the default), `sys.stdout`, `hf.logging.info` (or `warning`,
        `error`), or a string `"file://PATH"`, of a file to add to.
      summarize: how many elements to show at the beginning and at the end of each axis (3 by
        default); all, if it is negative.
      sep: what stands between the inputs; a space by default.
      end: what follows them; a new line by default.
      name: name of the operation.

    Returns: an operation; in eager mode None.

    Raises:
      TypeError: for another keyword. ValueError: for another stream.

    >>> import hybridflow as hf
    >>> import sys
    >>> with hf.eager_mode():
    ...     hf.print("x:", hf.range(10), [hf.constant(1.5)], output_stream=sys.stdout)
    x: [0 1 2 ... 7 8 9] [1.5]
    """
    stream = _stream(kwargs.pop("output_stream", None))
    summarize = kwargs.pop("summarize", 3)
    summarize = 3 if summarize is None else whole(summarize, "summarize")
    sep, end = kwargs.pop("sep", " "), kwargs.pop("end", os.linesep)
    name = kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"print() got unexpected keyword arguments: {sorted(kwargs)}")
    tensors: list[Any] = []
    placed = [_placed(item, tensors) for item in inputs]
    template = sep.join(item if isinstance(item, str) else repr(item) for item in placed)
    placeholder = "{}"
    while placeholder in template:
        placeholder = f"{{{placeholder}}}"
    with name_scope(name, "print", tensors):
        text = _string_format(
            [convert_to_tensor(tensor) for tensor in tensors],
            template=template.replace(_PLACE, placeholder),
            placeholder=placeholder,
            summarize=summarize,
        )
        return _print(text, output_stream=stream, end=end)
