"""What programs wish for how elements are made: `Dataset.with_options`."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

__all__ = ["DistributeOptions", "OptimizationOptions", "Options", "ThreadingOptions"]

_Kind = TypeVar("_Kind", bound="_Wishes")


def _wish(kind: type, default: Any = None) -> Any:
    return dataclasses.field(default=default, metadata={"kind": kind})


class _Wishes:
    """Wishes by name, each of a type; None where there is none."""

    __dataclass_fields__: dict[str, dataclasses.Field[Any]]

    def __setattr__(self, name: str, value: Any) -> None:
        field = self.__dataclass_fields__.get(name)
        if field is None:
            raise AttributeError(
                f"Cannot set the property {name} on {type(self).__name__}: it has "
                f"{', '.join(self.__dataclass_fields__)}."
            )
        # A group of wishes is made by its class.
        kind: Any = field.metadata.get("kind", field.default_factory)
        if value is not None and not isinstance(value, kind):
            raise TypeError(
                f'Property "{name}" must be of type {kind.__name__}, got: {value!r} (type: '
                f"{type(value).__name__})"
            )
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        plain = type(self)()
        said = [f"{n}={v!r}" for n, v in vars(self).items() if v != getattr(plain, n)]
        return f"{type(self).__name__}({', '.join(said)})"

    def merge(self: _Kind, options: _Kind) -> _Kind:
        """These wishes and others, as a new object.

        Raises:
          TypeError: for what is none. ValueError: if two differ.
        """
        if not isinstance(options, type(self)):
            raise TypeError(
                f"Incompatible options type: {type(options).__name__} vs {type(self).__name__}"
            )
        found = type(self)()
        for name, default in list(vars(found).items()):
            one, other = getattr(self, name), getattr(options, name)
            if isinstance(one, _Wishes):
                one = one.merge(other)
            elif one == default:
                one = other
            elif other not in (default, one):
                raise ValueError(
                    f"Cannot merge incompatible values ({one!r} and {other!r}) of option: {name}"
                )
            setattr(found, name, one)
        return found


@dataclasses.dataclass(repr=False)
class OptimizationOptions(_Wishes):
    """Which rewritings of a pipeline are wished for; here there is none to choose."""

    apply_default_optimizations: bool | None = _wish(bool)
    autotune: bool | None = _wish(bool)
    autotune_algorithm: int | None = _wish(int)
    autotune_buffers: bool | None = _wish(bool)
    autotune_cpu_budget: int | None = _wish(int)
    filter_fusion: bool | None = _wish(bool)
    filter_with_random_uniform_fusion: bool | None = _wish(bool)
    hoist_random_uniform: bool | None = _wish(bool)
    map_and_batch_fusion: bool | None = _wish(bool)
    map_and_filter_fusion: bool | None = _wish(bool)
    map_fusion: bool | None = _wish(bool)
    map_parallelization: bool | None = _wish(bool)
    noop_elimination: bool | None = _wish(bool)
    parallel_batch: bool | None = _wish(bool)
    shuffle_and_repeat_fusion: bool | None = _wish(bool)


@dataclasses.dataclass(repr=False)
class ThreadingOptions(_Wishes):
    """How many threads are wished for: `num_parallel_calls` of `Dataset.map` says how many run."""

    max_intra_op_parallelism: int | None = _wish(int)
    private_threadpool_size: int | None = _wish(int)


@dataclasses.dataclass(repr=False)
class DistributeOptions(_Wishes):
    """How elements are to be shared among workers: `Dataset.shard` shares them."""

    auto_shard: bool = _wish(bool, True)
    num_devices: int | None = _wish(int)


@dataclasses.dataclass(repr=False)
class Options(_Wishes):
    """Wishes for how the elements of a dataset are made, as programs for TF 1.15 state them.

    They are checked and kept; elements and their order are the same with them and without: the
    order is always that of the pipeline (`experimental_deterministic`), and nothing is rewritten.

    >>> import hybridflow as hf
    >>> options = hf.data.Options()
    >>> options.experimental_deterministic = False
    >>> options
    Options(experimental_deterministic=False)
    """

    experimental_deterministic: bool | None = _wish(bool)
    experimental_distribute: DistributeOptions = dataclasses.field(
        default_factory=DistributeOptions
    )
    experimental_optimization: OptimizationOptions = dataclasses.field(
        default_factory=OptimizationOptions
    )
    experimental_slack: bool | None = _wish(bool)
    experimental_threading: ThreadingOptions = dataclasses.field(default_factory=ThreadingOptions)
