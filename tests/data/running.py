"""The ways in which a test body goes through a dataset: eagerly, and by each kind of iterator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hybridflow as hf
from hybridflow._src.data import nest

WAYS = ("eager", "one_shot", "initializable", "structure", "handle")
Make = Callable[[], hf.data.Dataset]


def elements(way: str, make: Make, most: int = 10_000) -> list[Any]:
    """The elements of a dataset as NumPy values, in structures."""
    if way == "eager":
        with hf.eager_mode():
            found = []
            for element in make():
                found.append(nest.map_structure(lambda t: t.numpy(), element))
                if len(found) == most:
                    break
            return found
    with hf.Graph().as_default(), hf.Session() as session:
        dataset = make()
        feeds: dict[Any, Any] = {}
        if way == "one_shot":
            element = dataset.make_one_shot_iterator().get_next()
        elif way == "initializable":
            iterator = dataset.make_initializable_iterator()
            session.run(iterator.initializer)
            element = iterator.get_next()
        elif way == "structure":
            iterator = hf.data.Iterator.from_structure(dataset.output_types, dataset.output_shapes)
            session.run(iterator.make_initializer(dataset))
            element = iterator.get_next()
        else:
            handle = hf.placeholder(hf.string, [])
            feeds[handle] = session.run(dataset.make_one_shot_iterator().string_handle())
            chosen = hf.data.Iterator.from_string_handle(
                handle, dataset.output_types, dataset.output_shapes
            )
            element = chosen.get_next()
        flat = nest.flatten(element)
        found = []
        try:
            while len(found) < most:
                values = session.run(flat, feeds)
                found.append(nest.pack_sequence_as(element, values))
        except hf.errors.OutOfRangeError:
            pass
        return found


def listed(values: Any) -> Any:
    """Values as Python's, to compare."""
    return [nest.map_structure(_plain, value) for value in values]


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
