"""Strings as numbers of buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import settings
from hybridflow._src.framework.errors import ShapeError
from hybridflow._src.framework.op_def import REQUIRED, OpDef, Sample, not_differentiable
from hybridflow._src.framework.spelling import spelled
from hybridflow._src.ops.shape_rules import same
from hybridflow._src.ops.strings import hashes
from hybridflow._src.ops.strings.elementwise import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = [
    "string_to_hash_bucket",
    "string_to_hash_bucket_fast",
    "string_to_hash_bucket_strong",
]


def _record(name: str, argument: str, hashed: Callable[..., np.ndarray], **more: Any) -> OpDef:
    def compute(array: np.ndarray, num_buckets: int, **attrs: Any) -> np.ndarray:
        found = hashed(array.reshape(-1).tolist(), *attrs.values())
        return (found % np.uint64(num_buckets)).astype(np.int64).reshape(array.shape)

    def samples(rng: np.random.Generator) -> Iterable[Sample]:
        key: dict[str, Any] = {"key": [3, -5]} if more else {}
        for value in (words(), words().reshape(2, 4), words(1).reshape(()), words(0)):
            yield Sample(value, num_buckets=1000, **key)

    return OpDef(
        name,
        f"{argument}: string -> output: int64",
        attrs={"num_buckets": REQUIRED, **more},
        shape=same,
        compute=compute,
        grad=not_differentiable,
        samples=samples,
    )


_plain = _record("StringToHashBucket", "string_tensor", hashes.murmur)
_fast = _record("StringToHashBucketFast", "input", hashes.fingerprints)
_strong = _record(
    "StringToHashBucketStrong",
    "input",
    lambda items, key: hashes.keyed(items, (int(key[0]), int(key[1]))),
    key=REQUIRED,
)


def _buckets(num_buckets: Any) -> int:
    number = settings.whole(num_buckets, "num_buckets")
    if number < 1:
        raise ValueError(f"`num_buckets` must be at least 1, got {number}.")
    return number


@spelled(input="string_tensor")
def string_to_hash_bucket(string_tensor: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """The number of the bucket of each string, by an old hash.

    Args:
      string_tensor: string tensor of any shape.
      num_buckets: how many buckets there are.
      name: name of the op.

    Returns: an int64 tensor of that shape, of numbers below `num_buckets`: TensorFlow's.

    Raises:
      ValueError: if there are no buckets.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_to_hash_bucket(["a", "b"], 10).numpy())
    [8 0]
    """
    buckets = _buckets(num_buckets)
    found: Tensor = _plain(string_tensor, num_buckets=buckets, name=name)
    return found


def string_to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """The number of the bucket of each string, by its fingerprint.

    Whoever chooses the strings can choose many for one bucket: see `string_to_hash_bucket_strong`.

    Args:
      input: string tensor of any shape.
      num_buckets: how many buckets there are.
      name: name of the op.

    Returns: an int64 tensor of that shape, of numbers below `num_buckets`: TensorFlow's.

    Raises:
      ValueError: if there are no buckets.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_to_hash_bucket_fast(["a", "b", "a"], 10).numpy())
    [9 2 9]
    """
    buckets = _buckets(num_buckets)
    found: Tensor = _fast(input, num_buckets=buckets, name=name)
    return found


def string_to_hash_bucket_strong(
    input: Any, num_buckets: int, key: Sequence[int], name: str | None = None
) -> Tensor:
    """The number of the bucket of each string, by a hash with a key.

    Nobody who does not know the key can choose strings for one bucket.

    Args:
      input: string tensor of any shape.
      num_buckets: how many buckets there are.
      key: list of two integers.
      name: name of the op.

    Returns: an int64 tensor of that shape, of numbers below `num_buckets`: TensorFlow's.

    Raises:
      ValueError: if there are no buckets, or the key is none.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.string_to_hash_bucket_strong(["a", "b"], 10, key=[1, 2]).numpy())
    [6 4]
    """
    numbers = [settings.whole(k, "key") for k in key]
    if len(numbers) != 2:
        raise ShapeError(f"Key must have 2 elements, got {len(numbers)}.")
    buckets = _buckets(num_buckets)
    found: Tensor = _strong(input, num_buckets=buckets, key=numbers, name=name)
    return found
