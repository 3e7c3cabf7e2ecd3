"""What `Session.run` fetches and feeds for objects of a program's own classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class _Conversion(NamedTuple):
    kind: type
    fetch: Callable[[Any], tuple[Any, Callable[[list[Any]], Any]]]
    feed: Callable[[Any, Any], Any] | None
    feed_keys: Callable[[Any], Any] | None


# The one registered last comes first, as in TensorFlow.
_conversions: list[_Conversion] = []


def register_session_run_conversion_functions(
    tensor_type: type,
    fetch_function: Any,
    feed_function: Any = None,
    feed_function_for_partial_run: Any = None,
) -> None:
    """Says what `Session.run` does with objects of a class.

    Args:
      tensor_type: the class.
      fetch_function: takes an object that is fetched; gives a list of what to fetch for it, and a
        function from the list of values to what `run` gives in the object's place.
      feed_function: takes an object that is a key of `feed_dict` and its value; gives a list of
        pairs (tensor, value).
      feed_function_for_partial_run: takes an object that is named as a feed where there is no value
        yet; gives the list of its tensors.

    Raises:
      ValueError: if the class, or one that derives from it, is registered.

    >>> import hybridflow as hf
    >>> class Pair:
    ...     def __init__(self, x):
    ...         self.low, self.high = x - 1.0, x + 1.0
    >>> register_session_run_conversion_functions(Pair, lambda pair: ([pair.low, pair.high], tuple))
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     low, high = session.run(Pair(hf.constant(3.0)))
    ...     print(low, high)
    2.0 4.0
    """
    if any(issubclass(known.kind, tensor_type) for known in _conversions):
        raise ValueError(f"{tensor_type} has already been registered so ignore it.")
    functions = fetch_function, feed_function, feed_function_for_partial_run
    _conversions.insert(0, _Conversion(tensor_type, *functions))


def conversion_for(item: Any) -> _Conversion | None:
    """How an object is fetched and fed, if its class is registered."""
    for known in _conversions:
        if isinstance(item, known.kind):
            return known
    return None
