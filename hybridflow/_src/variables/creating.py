"""`variable_creator_scope`: functions that are asked for each variable in place of its class."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hybridflow._src.framework import context
from hybridflow._src.framework.stack import Opened, Opener

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["variable_creator_scope"]

# What a creator is told, in the order in which `Variable` takes it, with the defaults.
_ARGUMENTS: dict[str, Any] = {
    "initial_value": None,
    "trainable": None,
    "collections": None,
    "validate_shape": True,
    "caching_device": None,
    "name": None,
    "variable_def": None,
    "dtype": None,
    "expected_shape": None,
    "import_scope": None,
    "constraint": None,
    "use_resource": None,
    "synchronization": None,
    "aggregation": None,
    "shape": None,
}
_TOO_MANY = "Variable() takes {most} arguments, which are {names}: got {got}."
_NOT_CREATOR = (
    "variable_creator must be a function of `next_creator` and the arguments of a variable, by "
    "name: `lambda next_creator, **kwargs: next_creator(**kwargs)`. Got {got!r:.200}."
)


class Creatable(type):
    """The class of `Variable`: a call of `Variable` itself goes through the scopes of creators."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        creators = context.variable_creators.entries[-1].item
        # Subclasses, which programs name where they want that very kind, are made as they stand.
        if not creators or "_asks_creators" not in cls.__dict__:
            return super().__call__(*args, **kwargs)
        if len(args) > len(_ARGUMENTS):
            raise TypeError(
                _TOO_MANY.format(most=len(_ARGUMENTS), names=", ".join(_ARGUMENTS), got=len(args))
            )
        given = dict(zip(_ARGUMENTS, args, strict=False))
        twice = given.keys() & kwargs.keys()
        if twice:
            raise TypeError(f"Variable() got multiple values for argument {sorted(twice)[0]!r}")
        create: Callable[..., Any] = super().__call__
        for creator in creators:
            create = partial(creator, create)
        return create(**{**_ARGUMENTS, **given, **kwargs})


class variable_creator_scope(Opener):
    """A context manager in which a function makes the variables: it may change how, or which.

    It is called for each `Variable(...)` and each new variable of `get_variable`, those that layers
    make too, in this thread and in both modes; not where a class such as `ResourceVariable` is
    named. Of scopes in one another the innermost is asked first, and its `next_creator` asks the
    next one; the last of all makes the variable.

    Args:
      variable_creator: called as `variable_creator(next_creator, **kwargs)`, where `kwargs` are all
        arguments of `Variable`, by name; gives `next_creator(**kwargs)`, `kwargs` changed as it
        likes, or something else that is used in the variable's place.

    Raises:
      TypeError: if it is no function.

    >>> import hybridflow as hf
    >>> def frozen(next_creator, **kwargs):
    ...     kwargs["trainable"] = False
    ...     return next_creator(**kwargs)
    >>> with hf.Graph().as_default():
    ...     with hf.variable_creator_scope(frozen):
    ...         v = hf.get_variable("v", [2])
    ...     w = hf.get_variable("w", [2])
    ...     [variable.name for variable in hf.trainable_variables()]
    ['w:0']

    TF 1.4 lacks it. In 1.15 it is of one graph, here of all that this thread builds inside.
    """

    _what = "scope of a creator of variables"

    def __init__(self, variable_creator: Callable[..., Any]) -> None:
        if not callable(variable_creator):
            raise TypeError(_NOT_CREATOR.format(got=variable_creator))
        self._creator = variable_creator

    def _open(self, opened: Opened) -> None:
        creators = context.variable_creators
        opened.push(creators, (*creators.top, self._creator))
