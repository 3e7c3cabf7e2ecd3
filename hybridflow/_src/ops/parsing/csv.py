"""Lines of comma-separated values as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes, settings
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.ops.strings.elementwise import strings
from hybridflow._src.ops.strings.numbers import number_parser

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["decode_csv"]

_TYPES = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64, dtypes.string)
_QUOTE = ord('"')
_BREAKS = b"\r\n"


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


def _fields(line: bytes, delimiter: bytes, quotes: bool) -> list[bytes]:
    """The fields of a line.

    Raises:
      InvalidArgumentError: for quotes or breaks of lines where there can be none.
    """
    if not (quotes and b'"' in line) and b"\n" not in line and b"\r" not in line:
        return line.split(delimiter) if line else []
    found = []
    at, end = 0, len(line)
    while at < end:
        if line[at] in _BREAKS:
            at += 1
        elif quotes and line[at] == _QUOTE:
            field, at = _quoted(line, at + 1, delimiter)
            found.append(field)
        else:
            stop = line.find(delimiter, at)
            stop = end if stop < 0 else stop
            field = line[at:stop]
            if (quotes and b'"' in field) or b"\n" in field or b"\r" in field:
                raise _invalid("Unquoted fields cannot have quotes/CRLFs inside")
            found.append(field)
            at = stop + 1
    if line.endswith(delimiter):
        found.append(b"")
    return found


def _quoted(line: bytes, at: int, delimiter: bytes) -> tuple[bytes, int]:
    """The field behind a quote, and where the next one begins."""
    parts = []
    while True:
        stop = line.find(b'"', at)
        if stop < 0:
            raise _invalid("Quoted field has to end with quote followed by delim or end")
        parts.append(line[at:stop])
        behind = line[stop + 1 : stop + 2]
        if not behind or behind == delimiter:
            return b"".join(parts), stop + 2
        if behind != b'"':
            raise _invalid("Quote inside a string has to be escaped by another quote")
        parts.append(b'"')
        at = stop + 2


def _column(number: int, texts: Sequence[bytes], default: np.ndarray, na_value: bytes) -> Any:
    """The values of one field of all lines, of the dtype of its default."""
    missing = [row for row, text in enumerate(texts) if not text or text == na_value]
    if missing and not default.size:
        raise _invalid(f"Field {number} is required but missing in record {missing[0]}!")
    if default.dtype.kind == "O":
        values = strings(texts, (len(texts),))
    else:
        values = _numbers(number, texts, default.dtype, set(missing))
    if missing:
        values[missing] = default.reshape(-1)[0]
    return values


def _numbers(
    number: int, texts: Sequence[bytes], dtype: np.dtype[Any], missing: set[int]
) -> np.ndarray:
    parse = number_parser(dtype)
    values = np.zeros(len(texts), dtype)
    for row, text in enumerate(texts):
        if row in missing:
            continue
        try:
            values[row] = parse(text)
        except ValueError:
            kind = dtypes.native_name(dtypes.as_dtype(dtype))
            shown = text.decode("utf-8", "replace")
            raise _invalid(
                f"Field {number} in record {row} is not a valid {kind}: {shown:.200}"
            ) from None
    return values


def _decode(
    records: np.ndarray,
    *defaults: np.ndarray,
    OUT_TYPE: Any,
    field_delim: str | bytes,
    use_quote_delim: bool,
    na_value: str | bytes,
) -> list[np.ndarray]:
    for number, default in enumerate(defaults):
        if default.size > 1:
            raise _invalid(
                f"There should only be 1 default per field but field {number} has {default.size}"
            )
    delimiter = field_delim.encode() if isinstance(field_delim, str) else field_delim
    na = na_value.encode() if isinstance(na_value, str) else na_value
    lines = []
    for row, line in enumerate(records.reshape(-1).tolist()):
        fields = _fields(line, delimiter, use_quote_delim)
        if len(fields) != len(defaults):
            raise _invalid(f"Expect {len(defaults)} fields but have {len(fields)} in record {row}")
        lines.append(fields)
    columns = list(zip(*lines, strict=True)) if lines else [()] * len(defaults)
    return [
        _column(number, texts, default, na).reshape(records.shape)
        for number, (texts, default) in enumerate(zip(columns, defaults, strict=True))
    ]


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    lines = strings([b'1,2.5,"a ""b"", c",', b"-3,,x,7"], (2,))
    defaults = [
        np.zeros(0, np.int32),
        np.array([1.5], np.float32),
        np.array([b"none"], object),
        np.array(9, np.int64),
    ]
    types = [dtypes.int32, dtypes.float32, dtypes.string, dtypes.int64]
    yield Sample(lines, defaults, OUT_TYPE=types)
    yield Sample(lines.reshape(2, 1), defaults, OUT_TYPE=types)
    yield Sample(strings([], (0,)), defaults, OUT_TYPE=types)


_decode_csv = OpDef(
    "DecodeCSV",
    "records: string, record_defaults: ... -> output: N*OUT_TYPE",
    attrs={
        "OUT_TYPE": REQUIRED,
        "field_delim": ",",
        "use_quote_delim": True,
        "na_value": "",
    },
    shape=lambda attrs, records, *defaults: [records._dims] * len(defaults),
    compute=_decode,
    grad=not_differentiable,
    samples=_samples,
)


def decode_csv(
    records: Any,
    record_defaults: Sequence[Any],
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
) -> list[Tensor]:
    """Lines of comma-separated values (RFC 4180) as a tensor for each column.

    Args:
      records: string tensor: a line each.
      record_defaults: list of tensors of one element or none, one for each column: the dtype tells
        that of the column (float32, float64, int32, int64 or string), the element what stands for
        fields that are empty; without one they are an error.
      field_delim: the byte between fields.
      use_quote_delim: whether fields may stand in double quotes.
      name: name of the op.
      na_value: another text that means an empty field.

    Returns: a list of tensors of the shape of `records`.

    Raises:
      ValueError, TypeError: for a default of several elements or another dtype, or a delimiter that
        is no byte. InvalidArgumentError: when it runs, for a line with other fields.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     length, kind = hf.decode_csv(["5.1,a", '4.9,"b, c"'], [[0.0], [""]])
    ...     print(length.numpy(), kind.numpy())
    [5.1 4.9] [b'a' b'b, c']
    """
    defaults = [convert_to_tensor(d, name=f"{i}") for i, d in enumerate(record_defaults)]
    for number, default in enumerate(defaults):
        dtype = default.dtype.base_dtype
        if dtype not in _TYPES:
            names = ", ".join(d.name for d in _TYPES)
            raise TypeError(f"The default of column {number} is {dtype.name}: allowed are {names}.")
        size = default.shape.num_elements()
        if size is not None and size > 1:
            raise ValueError(f"Column {number} has {size} defaults: expected one or none.")
    if len(settings.string(field_delim, "field_delim").encode()) != 1:
        raise ValueError(f"field_delim should be only 1 char, got {field_delim!r}.")
    found: list[Tensor] = _decode_csv(
        records,
        defaults,
        OUT_TYPE=[d.dtype.base_dtype for d in defaults],
        field_delim=field_delim,
        use_quote_delim=bool(use_quote_delim),
        na_value=settings.string(na_value, "na_value"),
        name=name,
    )
    return found
