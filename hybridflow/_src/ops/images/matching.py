"""Parts of images that hang together, and rows and columns that go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hybridflow._src.framework import dtypes
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, Sample, no_gradient
from hybridflow._src.framework.registry import raw
from hybridflow._src.framework.scopes import name_scope
from hybridflow._src.ops import shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["bipartite_match", "connected_components"]


def _components(image: np.ndarray) -> np.ndarray:
    if image.ndim != 3:
        raise InvalidArgumentError(
            None, None, f"Expected images [batch, height, width], got shape {list(image.shape)}."
        )
    inside = image != image.dtype.type(0) if image.dtype != object else image != b""
    numbers = np.arange(image.size).reshape(image.shape)
    ends = []
    for first, second in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None), slice(None), slice(None, -1)), (slice(None), slice(None), slice(1, None))),
    ):
        alike = inside[first] & (image[first] == image[second])
        ends.append((numbers[first][alike], numbers[second][alike]))
    one, other = (np.concatenate(side) for side in zip(*ends, strict=True))
    # Each pixel takes the least number around it, and that of the pixel of that number.
    least = numbers.reshape(-1).copy()
    while True:
        before = least.copy()
        np.minimum.at(least, one, least[other])
        np.minimum.at(least, other, least[one])
        least = least[least]
        if np.array_equal(before, least):
            break
    result = np.zeros(image.size, np.int64)
    kept = inside.reshape(-1)
    result[kept] = np.unique(least[kept], return_inverse=True)[1].reshape(-1) + 1
    return result.reshape(image.shape)


def _components_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield Sample(rng.integers(0, 3, (2, 4, 5)).astype(np.int32))
    yield Sample(np.zeros((1, 0, 3), np.float32))


OpDef(
    "ImageConnectedComponents",
    "image: dtype -> components: int64",
    shape=lambda attrs, image: shape_rules.with_rank(image, 3),
    compute=_components,
    grad=no_gradient,
    samples=_components_samples,
)


def connected_components(images: Any) -> Tensor:
    """Which pixels hang together: neighbours, not diagonal ones, of one value that is not zero.

    Of TensorFlow 1.15.

    Args:
      images: tensor `[height, width]` or `[batch, height, width]` of a number dtype or bool.

    Returns: an int32 tensor of its shape: 0 where the image is, and else a number for each part,
      from 1 on, in the order of their first pixels through the whole batch.

    Raises:
      TypeError: for a tensor of another rank.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     print(hf.contrib.image.connected_components([[1, 0, 2], [1, 2, 2]]).numpy().tolist())
    [[1, 0, 2], [1, 2, 2]]
    """
    with name_scope(None, "connected_components", [images]):
        tensor = convert_to_tensor(images, name="images")
        rank = tensor.shape.ndims
        if rank not in (2, 3):
            raise TypeError(
                "images should have rank 2 (HW) or 3 (NHW). Static shape is " + str(tensor.shape)
            )
        batch = raw.ExpandDims(tensor, 0) if rank == 2 else tensor
        found: Tensor = raw.Cast(raw.ImageConnectedComponents(batch), DstT=dtypes.int32)
        return found[0] if rank == 2 else found


def _match(
    distance_mat: np.ndarray, num_valid_rows: np.ndarray, top_k: int
) -> tuple[np.ndarray, np.ndarray]:
    if distance_mat.ndim != 2 or num_valid_rows.size != 1:
        raise InvalidArgumentError(
            None,
            None,
            f"Expected a matrix of distances and one number of rows, got shapes "
            f"{list(distance_mat.shape)} and {list(num_valid_rows.shape)}.",
        )
    rows, columns = distance_mat.shape
    valid = int(num_valid_rows.reshape(-1)[0])
    considered = distance_mat if valid < 0 else distance_mat[:valid]
    most = min(considered.shape) if top_k < 0 else top_k
    to_column, to_row = np.full(rows, -1, np.int32), np.full(columns, -1, np.int32)
    if not columns:
        return to_column, to_row
    for place in np.argsort(considered, axis=None, kind="stable"):
        if most <= 0:
            break
        row, column = divmod(int(place), columns)
        if to_column[row] < 0 and to_row[column] < 0:
            to_column[row], to_row[column] = column, row
            most -= 1
    return to_column, to_row


def _match_shape(
    attrs: dict[str, Any], distance_mat: Tensor, num_valid_rows: Tensor
) -> list[shape_rules.Dims]:
    rows, columns = shape_rules.with_rank(distance_mat, 2) or (None, None)
    return [(rows,), (columns,)]


def _match_samples(rng: np.random.Generator) -> Iterable[Sample]:
    distances = rng.uniform(size=(4, 3)).astype(np.float32)
    for valid, top_k in ((-1.0, -1), (2.0, -1), (-1.0, 1)):
        yield Sample(distances, np.array([valid], np.float32), top_k=top_k)


OpDef(
    "BipartiteMatch",
    "distance_mat: float32, num_valid_rows: float32 -> "
    "row_to_col_match_indices: int32, col_to_row_match_indices: int32",
    attrs={"top_k": -1},
    shape=_match_shape,
    compute=_match,
    grad=no_gradient,
    samples=_match_samples,
)


def bipartite_match(
    distance_mat: Any, num_valid_rows: Any, top_k: int = -1, name: str = "bipartite_match"
) -> tuple[Tensor, Tensor]:
    """Rows and columns that go together, those of the smallest distance first.

    Of TensorFlow 1.15.

    Args:
      distance_mat: float32 tensor `[rows, columns]`.
      num_valid_rows: scalar or vector of one number: how many rows count; all if it is negative.
      top_k: how many pairs there are at most; as many as can be if it is negative.
      name: name of the op.

    Returns: int32 vectors, for each row its column, for each column its row; -1 for those alone.

    >>> import hybridflow as hf
    >>> with hf.eager_mode():
    ...     rows, columns = hf.contrib.image.bipartite_match([[3.0, 1.0], [2.0, 0.5]], -1)
    ...     print(rows.numpy(), columns.numpy())
    [0 1] [0 1]
    """
    valid = raw.Reshape(convert_to_tensor(num_valid_rows, preferred_dtype=dtypes.float32), [1])
    if valid.dtype is not dtypes.float32:
        valid = raw.Cast(valid, DstT=dtypes.float32)
    first, second = raw.BipartiteMatch(distance_mat, valid, top_k=top_k, name=name)
    return first, second
