"""Sparse components of elements, through everything that elements go through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hybridflow as hf
from hybridflow._src.data import nest

D = hf.data.Dataset
C = hf.contrib.data

ROWS = np.array([[0, 5, 0], [0, 0, 0], [7, 0, 8], [0, 0, 9]])
WHERE = np.argwhere(ROWS)
VALUE = hf.SparseTensorValue(WHERE, ROWS[tuple(WHERE.T)], ROWS.shape)


def dense(value: Any) -> Any:
    """The value of a component as a list: of a sparse one what it stands for."""
    if not isinstance(value, hf.SparseTensorValue):
        return value.tolist()
    found = np.zeros(value.dense_shape, value.values.dtype)
    found[tuple(np.transpose(value.indices))] = value.values
    return found.tolist()


def elements(way: str, make: Any) -> list[Any]:
    if way == "eager":
        with hf.eager_mode():
            return [nest.map_structure(_eager, x) for x in make()]
    with hf.Graph().as_default(), hf.Session() as session:
        dataset = make()
        if way == "one_shot":
            element = dataset.make_one_shot_iterator().get_next()
        else:
            iterator = hf.data.Iterator.from_structure(
                dataset.output_types, dataset.output_shapes, output_classes=dataset.output_classes
            )
            element = iterator.get_next()
            session.run(iterator.make_initializer(dataset))
        found = []
        try:
            while True:
                values = session.run(nest.flatten(element))
                found.append(nest.pack_sequence_as(element, [dense(v) for v in values]))
        except hf.errors.OutOfRangeError:
            return found


def _eager(value: Any) -> Any:
    if isinstance(value, hf.SparseTensor):
        value = hf.SparseTensorValue(
            *[t.numpy() for t in (value.indices, value.values, value.dense_shape)]
        )
        return dense(value)
    return dense(value.numpy())


def slices() -> Any:
    return D.from_tensor_slices(VALUE)


ALL = ROWS.tolist()
CASES: dict[str, tuple[Any, list[Any]]] = {
    "tensors": (lambda: D.from_tensors(VALUE), [ALL]),
    "tensors_batched": (lambda: D.from_tensors(VALUE).repeat(2).batch(2), [[ALL, ALL]]),
    "slices": (slices, ALL),
    "pairs": (
        lambda: D.from_tensor_slices((VALUE, np.arange(4))),
        [(row, i) for i, row in enumerate(ALL)],
    ),
    "map": (lambda: slices().map(lambda s: s * 2), (2 * ROWS).tolist()),
    "map_to_sparse": (
        lambda: D.range(2).map(lambda x: hf.SparseTensor([[0]], [x], [2])),
        [[0, 0], [1, 0]],
    ),
    "map_to_dense": (lambda: slices().map(hf.sparse_tensor_to_dense), ALL),
    "filter": (lambda: slices().filter(lambda s: hf.size(s.values) > 1), [[7, 0, 8]]),
    "batch": (lambda: slices().batch(3), [ALL[:3], ALL[3:]]),
    "batch_mapped": (lambda: slices().map(lambda s: s).batch(3), [ALL[:3], ALL[3:]]),
    "batch_of_other_shapes": (
        lambda: D.range(1, 3).map(lambda n: hf.SparseTensor([[n - 1]], [n], [n])).batch(2),
        [[[1, 0], [0, 2]]],
    ),
    "batch_twice": (lambda: slices().batch(2).batch(2), [[ALL[:2], ALL[2:]]]),
    "unbatch": (lambda: slices().batch(3).apply(C.unbatch()), ALL),
    "shuffle": (lambda: slices().shuffle(1).repeat(2).skip(3), [ALL[3], *ALL]),
    "flat_map": (lambda: slices().batch(2).flat_map(D.from_tensor_slices), ALL),
    "zip": (lambda: D.zip((slices(), {"n": D.range(9)})).take(1), [(ALL[0], {"n": 0})]),
    "concatenate": (lambda: slices().concatenate(slices()), ALL + ALL),
    "cache": (lambda: slices().map(lambda s: s).cache().repeat(2), ALL + ALL),
    "prefetch": (lambda: slices().map(lambda s: s).prefetch(2), ALL),
    "dense_to_sparse": (
        lambda: (
            D.range(1, 4).map(lambda n: hf.fill([n], n)).apply(C.dense_to_sparse_batch(2, [None]))
        ),
        [[[1, 0], [2, 2]], [[3, 3, 3]]],
    ),
}


@pytest.mark.parametrize("way", ["eager", "one_shot", "structure"])
@pytest.mark.parametrize("name", CASES)
def test_a_dataset_gives(way, name):
    make, expected = CASES[name]
    assert elements(way, make) == expected


def test_what_is_known_of_them():
    with hf.Graph().as_default():
        data = D.from_tensor_slices((VALUE, np.arange(4))).batch(2)
        assert data.output_classes == (hf.SparseTensor, hf.Tensor)
        assert data.output_types == (hf.int64, hf.int64)
        assert [s.as_list() for s in data.output_shapes] == [[None, 3], [None]]
        element, _ = data.make_one_shot_iterator().get_next()
        assert isinstance(element, hf.SparseTensor)
        assert element.indices.shape.as_list() == [None, 2]
        assert element.dtype is hf.int64


def test_rows_as_three_tensors():
    with hf.eager_mode():
        rows = D.from_sparse_tensor_slices(hf.SparseTensor(*VALUE))
        found = [[x.numpy().tolist() for x in row] for row in rows]
    assert found == [
        [[[1]], [5], [3]],
        [[], [], [3]],
        [[[0], [2]], [7, 8], [3]],
        [[[2]], [9], [3]],
    ]
    with pytest.raises(TypeError, match="SparseTensor"):
        D.from_sparse_tensor_slices(3)


def test_elements_need_not_be_in_order():
    shuffled = hf.SparseTensorValue(WHERE[::-1], VALUE.values[::-1], VALUE.dense_shape)
    assert elements("eager", lambda: D.from_tensor_slices(shuffled)) == ALL


def test_errors():
    with hf.Graph().as_default():
        with pytest.raises(TypeError, match="not currently supported"):
            slices().padded_batch(2, [3])
        with pytest.raises(TypeError, match="single component"):
            slices().apply(C.dense_to_sparse_batch(2, [3]))
        with pytest.raises(TypeError, match="different classes"):
            slices().concatenate(D.from_tensors(np.arange(3)))
        iterator = hf.data.Iterator.from_structure(hf.int64, [3])
        with pytest.raises(TypeError, match="output class"):
            iterator.make_initializer(slices())
        with pytest.raises(ValueError, match="Dimension -2 must be >= 0"):
            D.from_tensors([1]).apply(C.dense_to_sparse_batch(2, [-2]))
        with pytest.raises(ValueError, match="Dimension -3 must be >= 0"):
            D.from_tensors([1]).padded_batch(2, [-3])
    for value, error, message in (
        ([[1]], hf.errors.InvalidArgumentError, "incompatible with the row shape"),
        ([1, 2, 3], hf.errors.DataLossError, "larger than the row shape"),
    ):
        x = np.array(value)
        with pytest.raises(error, match=message):
            elements("eager", lambda x=x: D.from_tensors(x).apply(C.dense_to_sparse_batch(2, [2])))
