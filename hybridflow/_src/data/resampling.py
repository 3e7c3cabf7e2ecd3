"""Elements left out at random, so that classes come as often as they are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow._src.data import mapping
from hybridflow._src.data.dataset import Dataset
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.registry import raw
from hybridflow._src.ops.arrays.gather import gather
from hybridflow._src.ops.arrays.sequences import one_hot
from hybridflow._src.ops.arrays.shape_ops import shape as shape_of
from hybridflow._src.ops.random.sampling import random_uniform

if TYPE_CHECKING:
    from collections.abc import Callable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["rejection_resample"]

# How often each class is taken to have come before the first element.
_BEFORE = 10.0


def rejection_resample(
    class_func: Callable[..., Any],
    target_dist: Any,
    initial_dist: Any = None,
    seed: int | None = None,
) -> Callable[[Dataset], Dataset]:
    """Leaves out elements at random, so that their classes come as often as they are wanted.

    An element of class `c` stays with a probability in proportion to `target[c] / initial[c]`, the
    largest of which is 1.

    Args:
      class_func: takes an element, gives its class: an int32 scalar.
      target_dist: a floating vector `[classes]`: which part each class is to have.
      initial_dist: which part each class has; None to count them as they come.
      seed: how elements are chosen.

    Returns: a transformation for `Dataset.apply`, into pairs of a class and an element.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     data = hf.data.Dataset.range(1000).map(lambda n: n % 10)
    ...     balanced = data.apply(hf.contrib.data.rejection_resample(
    ...         lambda n: hf.cast(hf.equal(n, 0), hf.int32), [0.5, 0.5], [0.9, 0.1], seed=1))
    ...     classes = [int(c) for c, _ in balanced]
    ...     print(classes.count(1), 70 < classes.count(0) < 130)
    100 True
    """

    def apply(dataset: Dataset) -> Dataset:
        target = convert_to_tensor(target_dist, name="target_dist")

        def classified(*parts: Any) -> tuple[Any, Any]:
            return convert_to_tensor(class_func(*parts)), _one(parts)

        pairs = dataset.map(classified)
        if initial_dist is None:
            pairs = Dataset(mapping.scanned(pairs, _first(target), _counted(target)))
        else:
            chances = _chances(convert_to_tensor(initial_dist, target.dtype), target)
            pairs = pairs.map(lambda kind, element: (gather(chances, kind), kind, element))
        kept = pairs.filter(
            lambda chance, kind, element: random_uniform([], dtype=chance.dtype, seed=seed) < chance
        )
        return kept.map(lambda chance, kind, element: (kind, element))

    return apply


def _one(parts: tuple[Any, ...]) -> Any:
    """An element as one value: what functions are given as several arguments is a tuple."""
    return parts if len(parts) > 1 else parts[0]


def _first(target: Tensor) -> Tensor:
    return raw.OnesLike(target) * _BEFORE


def _counted(target: Tensor) -> Callable[..., Any]:
    """What counts classes as they come, and tells how likely each element stays."""

    def count(counts: Tensor, pair: Any) -> Any:
        kind, element = pair
        size = shape_of(target)[0]
        counts = counts + one_hot(kind, size, dtype=target.dtype)
        return counts, (gather(_chances(counts, target), kind), kind, element)

    return count


def _chances(initial: Tensor, target: Tensor) -> Tensor:
    """How likely an element of each class stays; classes that do not come may be anything."""
    initial = raw.Maximum(initial, convert_to_tensor(initial.dtype.as_numpy_dtype(1e-7)))
    ratios = target / initial
    most = raw.Max(ratios, convert_to_tensor(0))
    return ratios / raw.Maximum(most, convert_to_tensor(ratios.dtype.as_numpy_dtype(1e-30)))
