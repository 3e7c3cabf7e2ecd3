"""Examples as tensors: `parse_example` and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.advice import explained
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.framework.sparse_tensor import SparseTensor
from hybridflow._src.ops.parsing.example_ops import (
    output_types,
    parse_example_op,
    parse_sequence_op,
)
from hybridflow._src.ops.parsing.features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    SparseFeature,
    Specs,
    VarLenFeature,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["parse_example", "parse_single_example", "parse_single_sequence_example"]


def _strings(items: Sequence[str]) -> Tensor:
    return convert_to_tensor(np.array(list(items), object), dtypes.string, name="Const")


def _keys(keys: Sequence[str], kind: str) -> list[Tensor]:
    return [
        convert_to_tensor(key, dtypes.string, name=f"{kind}_keys_{index}")
        for index, key in enumerate(keys)
    ]


def _sparse(parts: Sequence[Tensor], count: int) -> list[SparseTensor]:
    """Sparse tensors of all indices, then all values, then all shapes."""
    return [SparseTensor(*parts[index::count]) for index in range(count)]


def _parsed(serialized: Any, names: Any, specs: Specs, name: str | None) -> dict[str, Any]:
    specs.check()
    with name_scope(name, "ParseExample", [serialized, names]):
        defaults = [dense.default() for dense in specs.dense.values()]
        sparse, dense = list(specs.sparse), list(specs.dense)
        types = [specs.dense[key].dtype for key in dense]
        outputs = parse_example_op(
            serialized,
            _strings([]) if names is None else names,
            [*_keys(sparse, "sparse"), *_keys(dense, "dense"), *defaults],
            Nsparse=len(sparse),
            Ndense=len(dense),
            sparse_types=list(specs.sparse.values()),
            dense_shapes=[d.shape for d in specs.dense.values()],
            Tdense=types,
            types=output_types(list(specs.sparse.values()), types),
            name="ParseExample",
        )
    return _by_key(specs, outputs)


def parse_example(
    serialized: Any,
    features: Mapping[str, Any],
    name: str | None = None,
    example_names: Any = None,
) -> dict[str, Any]:
    """A batch of `Example` messages as tensors.

    Args:
      serialized: string vector `[n]`: serialized messages.
      features: dict that says what each feature is: a `FixedLenFeature` becomes a tensor
        `[n, *shape]`, a `VarLenFeature` a `SparseTensor` `[n, most]`, a `SparseFeature` one of the
        shape it tells, a `FixedLenSequenceFeature` a tensor `[n, most, *shape]`, padded.
      name: name scope of the ops.
      example_names: string vector `[n]`: names for errors.

    Returns: a dict with the same keys.

    Raises:
      ValueError: for no features, or such as cannot be. InvalidArgumentError: when it runs, for
        what is no example, or lacks a feature without a default, or has another dtype or number
        of values.

    >>> import hybridflow as hf
    >>> def example(x, words):
    ...     feature = {
    ...         "x": hf.train.Feature(float_list=hf.train.FloatList(value=x)),
    ...         "words": hf.train.Feature(bytes_list=hf.train.BytesList(value=words)),
    ...     }
    ...     return hf.train.Example(features=hf.train.Features(feature=feature)).SerializeToString()
    >>> with hf.eager_mode():
    ...     found = hf.parse_example(
    ...         [example([1.0, 2.0], [b"a"]), example([3.0, 4.0], [b"b", b"c"])],
    ...         {"x": hf.FixedLenFeature([2], hf.float32), "words": hf.VarLenFeature(hf.string)})
    ...     print(found["x"].numpy().tolist(), found["words"].values.numpy())
    [[1.0, 2.0], [3.0, 4.0]] [b'a' b'b' b'c']
    """
    if not features:
        raise ValueError(f"Missing: features was {features}.")
    allowed = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)
    specs = Specs(features, allowed)
    for dense in specs.dense.values():
        dense.in_batches()
    return specs.named(_parsed(serialized, example_names, specs, name))


def parse_single_example(
    serialized: Any,
    features: Mapping[str, Any],
    name: str | None = None,
    example_names: Any = None,
) -> dict[str, Any]:
    """One `Example` message as tensors; `parse_example` takes less time for a batch.

    Args:
      serialized: string scalar: a serialized message.
      features: dict that says what each feature is, as for `parse_example`: results lack the first
        dimension.
      name: name scope of the ops.
      example_names: string scalar: its name for errors.

    Returns: a dict with the same keys.

    Raises:
      ValueError, InvalidArgumentError: as `parse_example` does.

    >>> import hybridflow as hf
    >>> feature = {"n": hf.train.Feature(int64_list=hf.train.Int64List(value=[3, 4]))}
    >>> example = hf.train.Example(features=hf.train.Features(feature=feature))
    >>> with hf.eager_mode():
    ...     found = hf.parse_single_example(
    ...         example.SerializeToString(), {"n": hf.FixedLenFeature([2], hf.int64)})
    ...     print(found["n"].numpy())
    [3 4]
    """
    if not features:
        raise ValueError("Missing features.")
    allowed = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature)
    specs = Specs(features, allowed)
    for dense in specs.dense.values():
        dense.in_batches()
    with name_scope(name, "ParseSingleExample", [serialized, example_names]):
        text = convert_to_tensor(serialized, dtypes.string, name="serialized")
        explained(
            lambda: text.shape.assert_has_rank(0),
            lambda: "`parse_single_example` takes one string, `parse_example` a vector of them",
        )
        batch = raw.ExpandDims(text, 0)
        names = None
        if example_names is not None:
            names = raw.ExpandDims(convert_to_tensor(example_names, dtypes.string), 0)
        found = _parsed(batch, names, specs, name)
        for key in specs.dense:
            found[key] = raw.Squeeze(found[key], squeeze_dims=[0], name=f"Squeeze_{key}")
        for key in specs.sparse:
            sparse = found[key]
            found[key] = SparseTensor(sparse.indices[:, 1:], sparse.values, sparse.dense_shape[1:])
        return specs.named(found)


def parse_single_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One `SequenceExample` message as tensors: of its context, and of its sequences.

    Args:
      serialized: string scalar: a serialized message.
      context_features: dict of `FixedLenFeature`s, which become tensors of their shapes, and
        `VarLenFeature`s, which become `SparseTensor`s `[number]`.
      sequence_features: dict of `FixedLenSequenceFeature`s, which become tensors `[time, *shape]`,
        and `VarLenFeature`s, which become `SparseTensor`s `[time, most]`.
      example_name: string scalar: its name for errors.
      name: name scope of the ops.

    Returns: two dicts with the same keys.

    Raises:
      ValueError, InvalidArgumentError: as `parse_example` does.

    >>> import hybridflow as hf
    >>> steps = [hf.train.Feature(float_list=hf.train.FloatList(value=[t])) for t in (1.0, 2.0)]
    >>> lists = {"x": hf.train.FeatureList(feature=steps)}
    >>> example = hf.train.SequenceExample(
    ...     feature_lists=hf.train.FeatureLists(feature_list=lists))
    >>> with hf.eager_mode():
    ...     _, sequences = hf.parse_single_sequence_example(
    ...         example.SerializeToString(),
    ...         sequence_features={"x": hf.FixedLenSequenceFeature([], hf.float32)})
    ...     print(sequences["x"].numpy())
    [1. 2.]
    """
    if not (context_features or sequence_features):
        raise ValueError("Missing features.")
    context = Specs(context_features, (VarLenFeature, FixedLenFeature))
    lists = Specs(sequence_features, (VarLenFeature, FixedLenSequenceFeature))
    for specs in (context, lists):
        if specs.sparse or specs.dense:
            specs.check()
    with name_scope(name, "ParseSingleSequenceExample", [serialized, example_name]):
        defaults = [dense.default() for dense in context.dense.values()]
        dense_types = [d.dtype for d in context.dense.values()]
        list_types = [d.dtype for d in lists.dense.values()]
        keys = [
            *_keys(list(context.sparse), "context_sparse"),
            *_keys(list(context.dense), "context_dense"),
            *_keys(list(lists.sparse), "feature_list_sparse"),
            *_keys(list(lists.dense), "feature_list_dense"),
        ]
        debug_name = convert_to_tensor(
            "" if example_name is None else example_name, dtypes.string, name="debug_name"
        )
        outputs = parse_sequence_op(
            serialized,
            _strings([key for key, d in lists.dense.items() if d.allow_missing]),
            [*keys, *defaults, debug_name],
            Ncontext_sparse=len(context.sparse),
            Ncontext_dense=len(context.dense),
            Nfeature_list_sparse=len(lists.sparse),
            Nfeature_list_dense=len(lists.dense),
            context_sparse_types=list(context.sparse.values()),
            Tcontext_dense=dense_types,
            feature_list_sparse_types=list(lists.sparse.values()),
            feature_list_dense_types=list_types,
            context_dense_shapes=[d.shape for d in context.dense.values()],
            feature_list_dense_shapes=[d.shape for d in lists.dense.values()],
            types=[
                *output_types(list(context.sparse.values()), dense_types),
                *output_types(list(lists.sparse.values()), list_types),
            ],
            name="ParseSingleSequenceExample",
        )
        middle = 3 * len(context.sparse) + len(context.dense)
        return (
            context.named(_by_key(context, outputs[:middle])),
            lists.named(_by_key(lists, outputs[middle:])),
        )


def _by_key(specs: Specs, outputs: Sequence[Tensor]) -> dict[str, Any]:
    split = 3 * len(specs.sparse)
    sparse = _sparse(outputs[:split], len(specs.sparse))
    found: dict[str, Any] = dict(zip(specs.sparse, sparse, strict=True))
    found.update(zip(specs.dense, outputs[split:], strict=True))
    return found
