"""The ops that parse examples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.formats import examples
from hybridflow._src.formats.examples import NOTHING
from hybridflow._src.framework import dtypes
from hybridflow._src.framework.advice import explained
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.tensor_shape import as_shape, bracketed
from hybridflow._src.kernels.examples import PARSE, TAGS
from hybridflow._src.ops.shape_rules import with_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.formats.examples import Values
    from hybridflow._src.framework.dtypes import DType

_WORDS = {"f": "float", "i": "int64", "O": "bytes"}


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


def texts(arrays: Iterable[Any]) -> list[str]:
    """Keys that are given as scalars of strings."""
    items = [a.item() if isinstance(a, np.ndarray) else a for a in arrays]
    return [item.decode("utf-8", "surrogateescape") for item in items]


class Column:
    """One feature of all examples.

    Args:
      key: its name. dtype: of its values.
    """

    def __init__(self, key: str, dtype: DType) -> None:
        self.key = key
        self.dtype = dtype.np

    def where(self, name: str, row: int) -> str:
        """How messages name its place."""
        return f"Name: {name}, Key: {self.key}, Index: {row}."

    def of(self, feature: Any, name: str, row: int) -> Values:
        """The values of one example.

        Raises:
          InvalidArgumentError: if they are of another dtype.
        """
        found = NOTHING if feature is None else examples.values(feature)
        if found.kind not in (None, self.dtype.kind):
            raise self.mismatch(found.kind, name, row)
        return found

    def mismatch(self, kind: str, name: str, row: int) -> InvalidArgumentError:
        """The error for values of another kind."""
        return _invalid(
            f"{self.where(name, row)}  Data types don't match. Data type: {_WORDS[kind]} but "
            f"expected type: {_WORDS[self.dtype.kind]}"
        )

    def joined(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Arrays one after the other."""
        if not arrays:
            return np.zeros(0, self.dtype)
        return np.concatenate(arrays).astype(self.dtype, copy=False)

    def sparse(self, features: Sequence[Any], names: Sequence[str]) -> list[np.ndarray]:
        """The indices, values and shape of all values, an example in each row."""
        found = [
            self.of(feature, name, row).array
            for row, (feature, name) in enumerate(zip(features, names, strict=True))
        ]
        counts = np.array([len(array) for array in found], np.int64)
        return [
            _places(counts),
            self.joined([array for array in found if len(array)]),
            np.array([len(found), counts.max(initial=0)], np.int64),
        ]

    def dense(
        self, features: Sequence[Any], names: Sequence[str], shape: Any, default: np.ndarray
    ) -> np.ndarray:
        """The values of all examples, `[n, *shape]`."""
        size = int(np.prod(shape))
        rows = []
        for row, (feature, name) in enumerate(zip(features, names, strict=True)):
            found = self.of(feature, name, row)
            array = found.array
            if found.kind is None:
                if default.size != size or (not size and not default.shape == tuple(shape)):
                    raise _invalid(
                        f"Name: {name}, Feature: {self.key} (data type: "
                        f"{_WORDS[self.dtype.kind]}) is required but could not be found."
                    )
                array = default.reshape(-1)
            elif len(array) != size:
                raise _invalid(
                    f"{self.where(name, row)}  Number of {_WORDS[found.kind]} values != expected.  "
                    f"values size: {len(array)} but output shape: {bracketed(tuple(shape))}"
                )
            rows.append(array)
        return self.joined(rows).reshape(len(rows), *shape)

    def padded(
        self, features: Sequence[Any], names: Sequence[str], shape: Any, padding: np.ndarray
    ) -> np.ndarray:
        """The values of all examples, `[n, most, *shape]`, those that are missing padded."""
        size = int(np.prod(shape))
        rows = []
        for row, (feature, name) in enumerate(zip(features, names, strict=True)):
            found = self.of(feature, name, row)
            if len(found.array) % max(size, 1):
                raise _invalid(
                    f"{self.where(name, row)}  Number of {_WORDS[self.dtype.kind]} values is not a "
                    f"multiple of stride length. Saw {len(found.array)} values but output shape "
                    f"is: {bracketed(tuple(shape))}"
                )
            rows.append(found.array)
        most = max([len(array) // max(size, 1) for array in rows], default=0)
        result = np.full((len(rows), most * size), padding.reshape(-1)[0], self.dtype)
        for row, array in enumerate(rows):
            result[row, : len(array)] = array
        return result.reshape(len(rows), most, *shape)


class Series(Column):
    """One list of features of a sequence example, a feature for each step."""

    def mismatch(self, kind: str, name: str, row: int) -> InvalidArgumentError:
        """The error for values of another kind."""
        return _invalid(
            f"Name: {name}, Feature list: {self.key}, Index: {row}.  Data types don't match. "
            f"Expected type: {_WORDS[self.dtype.kind]}  Feature is: {_WORDS[kind]}_list"
        )


def _places(counts: np.ndarray) -> np.ndarray:
    """The indices of values that stand one after the other in rows."""
    rows = np.repeat(np.arange(len(counts)), counts)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([rows, np.arange(len(rows)) - starts], axis=1).astype(np.int64)


# -- a batch of examples ---------------------------------------------------------------------------


def _parsed(serialized: Sequence[bytes], parse: Callable[[bytes], Any], what: str) -> list[Any]:
    found = []
    for data in serialized:
        try:
            found.append(parse(data))
        except ValueError:
            raise _invalid(f"Could not parse {what} input, value: {data!r:.200}") from None
    return found


def _parse_example(
    serialized: np.ndarray,
    names: np.ndarray,
    *rest: Any,
    Nsparse: int,
    Ndense: int,
    sparse_types: Sequence[DType],
    dense_shapes: Any,
    Tdense: Any,
) -> list[np.ndarray]:
    if serialized.ndim != 1 or names.ndim != 1 or len(names) not in (0, len(serialized)):
        raise _invalid(
            f"Expected vectors of one length, got shapes {serialized.shape} and {names.shape}."
        )
    labels = texts(names) or ["<unknown>"] * len(serialized)
    keys = texts(rest[: Nsparse + Ndense])
    defaults = rest[Nsparse + Ndense :]
    shapes = [as_shape(shape)._dims or () for shape in dense_shapes]
    quick = None if Nsparse else _plainly_parsed(serialized.tolist(), keys, shapes, defaults)
    if quick is not None:
        return quick
    parsed = _parsed(serialized.tolist(), examples.example, "example")
    parts: list[list[np.ndarray]] = [
        Column(key, dtype).sparse([p.get(key) for p in parsed], labels)
        for key, dtype in zip(keys[:Nsparse], sparse_types, strict=True)
    ]
    dense = []
    for key, dims, default in zip(keys[Nsparse:], shapes, defaults, strict=True):
        column = Column(key, dtypes.as_dtype(default.dtype))
        features = [p.get(key) for p in parsed]
        if dims and dims[0] is None:
            dense.append(column.padded(features, labels, dims[1:], default))
        else:
            dense.append(column.dense(features, labels, dims, default))
    return [*[part[i] for i in range(3) for part in parts], *dense]


def _plainly_parsed(
    serialized: list[bytes],
    keys: Sequence[str],
    shapes: Sequence[tuple[int | None, ...]],
    defaults: Sequence[np.ndarray],
) -> list[np.ndarray] | None:
    """The values of features of known shapes by a kernel; None if there is more to see to."""
    count = len(serialized)
    kinds = [default.dtype.kind for default in defaults]
    sizes = np.array([math.prod(size or 0 for size in dims) for dims in shapes], np.int64)
    texts = [size != 1 and kind == "O" for size, kind in zip(sizes, kinds, strict=True)]
    if not count or any(texts) or (sizes < 1).any() or not PARSE.is_there(count * len(keys)):
        return None
    found = [
        np.empty((count, 2 if kind == "O" else size), np.float32 if kind == "f" else np.int64)
        for kind, size in zip(kinds, sizes, strict=True)
    ]
    data, names = b"".join(serialized), [key.encode("utf-8", "surrogateescape") for key in keys]
    tags = np.array([TAGS[kind] for kind in kinds], np.int64)
    places = np.array([array.ctypes.data for array in found], np.int64)
    pieces = _bytes(data), _begins(serialized), len(keys), _bytes(b"".join(names)), _begins(names)
    if PARSE(count, *pieces, tags, sizes, places, np.empty(len(keys), np.int64)):
        return None
    return [
        (_strings(data, array) if kind == "O" else array).reshape(count, *dims)
        for array, kind, dims in zip(found, kinds, shapes, strict=True)
    ]


def _bytes(data: bytes) -> np.ndarray:
    return np.frombuffer(data or b"\0", np.uint8)


def _begins(pieces: Sequence[bytes]) -> np.ndarray:
    """Where pieces begin that stand one after the other, and where the last one ends."""
    begins = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum([len(piece) for piece in pieces], out=begins[1:])
    return begins


def _strings(data: bytes, places: np.ndarray) -> np.ndarray:
    found = np.empty(len(places), object)
    found[:] = [data[begin : begin + size] for begin, size in places.tolist()]
    return found


def _example_shape(attrs: dict[str, Any], serialized: Any, names: Any, *rest: Any) -> list[Any]:
    (count,) = explained(
        lambda: with_rank(serialized, 1),
        lambda: "`parse_example` takes a vector of strings, `parse_single_example` one",
    )
    with_rank(names, 1)
    number = attrs["Nsparse"]
    found: list[Any] = [(None, 2)] * number + [(None,)] * number + [(2,)] * number
    for shape in attrs["dense_shapes"]:
        dims = as_shape(shape)._dims
        found.append(None if dims is None else (count, *dims))
    return found


def output_types(sparse: Sequence[DType], dense: Sequence[DType]) -> list[DType]:
    """The dtypes of the outputs: indices, values and shapes of sparse ones, then dense ones."""
    places = [dtypes.int64] * len(sparse)
    return [*places, *sparse, *places, *dense]


parse_example_op = OpDef(
    "ParseExample",
    "serialized: string, names: string, features: ... -> outputs: N*types",
    attrs={
        "Nsparse": 0,
        "Ndense": 0,
        "sparse_types": (),
        "dense_shapes": (),
        "Tdense": (),
        "types": (),
    },
    shape=_example_shape,
    compute=lambda *inputs, types, **attrs: _parse_example(*inputs, **attrs),
    grad=not_differentiable,
    samples=lambda rng: (),
    read=lambda attrs: {"types": output_types(attrs["sparse_types"], attrs["Tdense"])},
)


def _parse_single(
    serialized: np.ndarray,
    *defaults: Any,
    num_sparse: int,
    sparse_keys: Sequence[str],
    dense_keys: Sequence[str],
    **attrs: Any,
) -> list[np.ndarray]:
    if np.ndim(serialized):
        raise _invalid(f"Expected a scalar, got shape {serialized.shape}.")
    names = [key.encode("utf-8", "surrogateescape") for key in (*sparse_keys, *dense_keys)]
    keys = [np.array(name, object) for name in names]
    found = _parse_example(
        np.reshape(serialized, [1]),
        np.empty(0, object),
        *keys,
        *defaults,
        Nsparse=num_sparse,
        Ndense=len(dense_keys),
        **attrs,
    )
    indices, values = found[:num_sparse], found[num_sparse : 2 * num_sparse]
    shapes, dense = found[2 * num_sparse : 3 * num_sparse], found[3 * num_sparse :]
    return [*[i[:, 1:] for i in indices], *values, *[n[1:] for n in shapes], *[d[0] for d in dense]]


def _single_shape(attrs: dict[str, Any], serialized: Any, *defaults: Any) -> list[Any]:
    with_rank(serialized, 0)
    number = attrs["num_sparse"]
    dense = [as_shape(shape)._dims for shape in attrs["dense_shapes"]]
    return [(None, 1)] * number + [(None,)] * number + [(1,)] * number + dense


# As TensorFlow writes `parse_single_example` from 1.5 on.
OpDef(
    "ParseSingleExample",
    "serialized: string, features: ... -> outputs: N*types",
    attrs={
        "num_sparse": 0,
        "sparse_keys": (),
        "dense_keys": (),
        "sparse_types": (),
        "dense_shapes": (),
        "Tdense": (),
        "types": (),
    },
    shape=_single_shape,
    compute=lambda *inputs, types, **attrs: _parse_single(*inputs, **attrs),
    grad=not_differentiable,
    samples=lambda rng: (),
    read=lambda attrs: {"types": output_types(attrs["sparse_types"], attrs["Tdense"])},
)


# -- sequences -------------------------------------------------------------------------------------


def _parse_sequence(
    serialized: Any,
    missing_assumed_empty: Any,
    *rest: Any,
    Ncontext_sparse: int,
    Ncontext_dense: int,
    Nfeature_list_sparse: int,
    Nfeature_list_dense: int,
    context_sparse_types: Sequence[DType],
    Tcontext_dense: Sequence[DType],
    feature_list_sparse_types: Sequence[DType],
    feature_list_dense_types: Sequence[DType],
    context_dense_shapes: Any,
    feature_list_dense_shapes: Any,
) -> list[np.ndarray]:
    data = serialized.item() if isinstance(serialized, np.ndarray) else serialized
    ((context, lists),) = _parsed([data], examples.sequence_example, "sequence example")
    *inputs, debug_name = rest
    (name,) = texts([debug_name])
    may_lack = set(texts(np.ravel(missing_assumed_empty)))
    counts = (Ncontext_sparse, Ncontext_dense, Nfeature_list_sparse, Nfeature_list_dense)
    ends = np.cumsum(counts)
    groups = [texts(inputs[end - n : end]) for n, end in zip(counts, ends, strict=True)]
    defaults = inputs[ends[-1] :]
    sparse_keys, dense_keys, list_sparse_keys, list_dense_keys = groups
    found: list[list[np.ndarray]] = []
    for key, dtype in zip(sparse_keys, context_sparse_types, strict=True):
        places, values, shape = Column(key, dtype).sparse([context.get(key)], [name])
        found.append([places[:, 1:], values, shape[1:]])
    dense = [
        Column(key, dtypes.as_dtype(default.dtype)).dense(
            [context.get(key)], [name], as_shape(shape)._dims or (), default
        )[0]
        for key, shape, default in zip(dense_keys, context_dense_shapes, defaults, strict=True)
    ]
    for key, dtype in zip(list_sparse_keys, feature_list_sparse_types, strict=True):
        features = list(lists.get(key, ()))
        found.append(Series(key, dtype).sparse(features, [name] * len(features)))
    list_dense = []
    for key, dtype, shape in zip(
        list_dense_keys, feature_list_dense_types, feature_list_dense_shapes, strict=True
    ):
        if key not in lists and key not in may_lack:
            raise _invalid(
                f"Name: {name}, Feature list '{key}' is required but could not be found.  Did you "
                "mean to include it in feature_list_dense_missing_assumed_empty or "
                "feature_list_dense_defaults?"
            )
        features = list(lists.get(key, ()))
        nothing = np.zeros(0, dtype.np)
        column = Series(key, dtype)
        dims = as_shape(shape)._dims or ()
        list_dense.append(column.dense(features, [name] * len(features), dims, nothing))
    split = len(sparse_keys)
    first = [part[i] for i in range(3) for part in found[:split]]
    second = [part[i] for i in range(3) for part in found[split:]]
    return [*first, *dense, *second, *list_dense]


def _sequence_shape(attrs: dict[str, Any], serialized: Any, *rest: Any) -> list[Any]:
    with_rank(serialized, 0)
    sparse, list_sparse = attrs["Ncontext_sparse"], attrs["Nfeature_list_sparse"]
    found: list[Any] = [(None, 1)] * sparse + [(None,)] * sparse + [(1,)] * sparse
    found += [as_shape(shape)._dims for shape in attrs["context_dense_shapes"]]
    found += [(None, 2)] * list_sparse + [(None,)] * list_sparse + [(2,)] * list_sparse
    for shape in attrs["feature_list_dense_shapes"]:
        dims = as_shape(shape)._dims
        found.append(None if dims is None else (None, *dims))
    return found


parse_sequence_op = OpDef(
    "ParseSingleSequenceExample",
    "serialized: string, feature_list_dense_missing_assumed_empty: string, features: ... "
    "-> outputs: N*types",
    attrs={
        "Ncontext_sparse": 0,
        "Ncontext_dense": 0,
        "Nfeature_list_sparse": 0,
        "Nfeature_list_dense": 0,
        "context_sparse_types": (),
        "Tcontext_dense": (),
        "feature_list_sparse_types": (),
        "feature_list_dense_types": (),
        "context_dense_shapes": (),
        "feature_list_dense_shapes": (),
        "types": (),
    },
    shape=_sequence_shape,
    compute=lambda *inputs, types, **attrs: _parse_sequence(*inputs, **attrs),
    grad=not_differentiable,
    samples=lambda rng: (),
    read=lambda attrs: {
        "types": [
            *output_types(attrs["context_sparse_types"], attrs["Tcontext_dense"]),
            *output_types(attrs["feature_list_sparse_types"], attrs["feature_list_dense_types"]),
        ]
    },
)
