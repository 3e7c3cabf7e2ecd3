"""How variables of several machines would be kept alike; and which kind of variable is the default.

One process has one copy of a variable: what is said of the others is taken and checked.
"""

from __future__ import annotations

import enum
from typing import Any

__all__ = [
    "VariableAggregation",
    "VariableSynchronization",
    "disable_resource_variables",
    "enable_resource_variables",
    "resource_variables_enabled",
]


class VariableSynchronization(enum.Enum):
    """When copies of a variable are made alike. Of TensorFlow 1.15.

    There is one copy here. A variable of which each reader would sum up the copies (`ON_READ`) is
    not trained.
    """

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """What is made of the updates of several copies of a variable. Of TensorFlow 1.15.

    There is one copy here, whose updates stand for themselves.
    """

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3
    ONLY_FIRST_TOWER = 3  # noqa: PIE796 - its older name


def is_trainable(trainable: bool | None, synchronization: Any, aggregation: Any) -> bool:
    """Whether a variable is trained, by what is said of it.

    Raises:
      ValueError: for values that are none of the enumerations, or a trained variable whose copies
        are summed up when they are read.
    """
    for value, kind in (
        (synchronization, VariableSynchronization),
        (aggregation, VariableAggregation),
    ):
        if value is not None and not isinstance(value, kind):
            parameter = kind.__name__.removeprefix("Variable").lower()
            raise ValueError(
                f"Invalid variable {parameter} mode: {value!r:.100}; use tf.{kind.__name__}."
            )
    if synchronization is VariableSynchronization.ON_READ:
        if trainable:
            raise ValueError(
                "Synchronization value can be set to VariableSynchronization.ON_READ only for "
                "non-trainable variables. You have specified trainable=True and "
                "synchronization=VariableSynchronization.ON_READ."
            )
        return False
    return True if trainable is None else trainable


_enabled = [False]


def enable_resource_variables() -> None:
    """From now on variables are resource variables, unless `use_resource=False` is said.

    Of TensorFlow 1.15. In eager mode they always are.
    """
    _enabled[0] = True


def disable_resource_variables() -> None:
    """From now on variables are reference variables, unless `use_resource=True` is said.

    Of TensorFlow 1.15. So it is from the start. In eager mode they never are.
    """
    _enabled[0] = False


def resource_variables_enabled() -> bool:
    """Whether variables are resource variables where nothing is said. Of TensorFlow 1.15."""
    return _enabled[0]
