"""`tf.data`: what 1.15 has as functions of datasets and iterators, whose methods these are."""

from __future__ import annotations

from typing import Any

__all__ = [
    "get_output_classes",
    "get_output_shapes",
    "get_output_types",
    "make_initializable_iterator",
    "make_one_shot_iterator",
]


def get_output_classes(dataset_or_iterator: Any) -> Any:
    """The classes of the components of an element, in its structure."""
    return dataset_or_iterator.output_classes


def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """The static shapes of the components of an element, in its structure."""
    return dataset_or_iterator.output_shapes


def get_output_types(dataset_or_iterator: Any) -> Any:
    """The dtypes of the components of an element, in its structure."""
    return dataset_or_iterator.output_types


def make_one_shot_iterator(dataset: Any) -> Any:
    """`dataset.make_one_shot_iterator()`."""
    return dataset.make_one_shot_iterator()


def make_initializable_iterator(dataset: Any, shared_name: str | None = None) -> Any:
    """`dataset.make_initializable_iterator(shared_name)`."""
    return dataset.make_initializable_iterator(shared_name)
