"""Handles: tensors that stand for what ops share, such as a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hybridflow._src.framework import context, dtypes
from hybridflow._src.framework.eager_tensor import EagerTensor
from hybridflow._src.framework.errors import InvalidArgumentError
from hybridflow._src.framework.op_def import OpDef, not_differentiable
from hybridflow._src.framework.resources import Named, Resources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hybridflow._src.framework.tensor import Tensor


# What eager programs share by name.
_shared = Resources()


class Shared(Protocol):
    """What ops share by name.

    Attributes:
      traits: what it is besides, where others may have its name: each with a word for it.
    """

    name: str

    @property
    def traits(self) -> dict[str, Any]: ...


def named(
    family: str,
    name: str,
    make: Callable[..., Shared],
    attrs: dict[str, Any],
    output: str = "handle",
    inputs: str = "",
) -> OpDef:
    """The record of an op that gives an object of its own, or one that is known by name.

    Args:
      family: what it is, such as a queue; its name is among those of its family.
      name: that of the op.
      make: called with a name, the inputs, and the attributes but `container` and `shared_name`.
      attrs: those attributes, with their defaults.
      output: the name of the output. inputs: the signature of the inputs.
    """

    def kernel(container: str | bytes = b"", shared_name: str = "", **attrs: Any) -> Named:
        def new(name: str, *inputs: Any) -> Shared:
            return make(name, *inputs, **attrs)

        def check(found: Shared, *inputs: Any) -> None:
            _check_same(family, found, new(found.name, *inputs))

        return Named(family, new, check, _text(container), _text(shared_name))

    return OpDef(
        name,
        f"{inputs} -> {output}: resource",
        attrs={**attrs, "container": b"", "shared_name": ""},
        shape=lambda attrs, *_: (),
        kernel=kernel,
        grad=not_differentiable,
    )


def _check_same(family: str, found: Shared, wanted: Shared) -> None:
    """Checks that what has a name is what is asked for by it.

    Raises:
      InvalidArgumentError: if it is not.
    """
    traits = found.traits
    for what, trait in wanted.traits.items():
        if traits.get(what) != trait:
            raise InvalidArgumentError(
                None,
                None,
                f"Shared {family} '{found.name}' has {what} {traits.get(what)} but requested "
                f"{what} was {trait}.",
            )


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def new_handle(record: OpDef, name: str | None, *inputs: Any, **attrs: Any) -> Tensor:
    """The handle of an object: in a graph of one in each session, eagerly of a new one."""
    if not context.modes.top.eager:
        handle: Tensor = record(*inputs, name=name, **attrs)
        return handle
    assert record.kernel is not None
    kernel = record.kernel(**{**record.defaults, **attrs})
    assert isinstance(kernel, Named)
    kernel.settle(_shared if attrs.get("shared_name") else Resources(), name or record.name)
    return EagerTensor(kernel(*[tensor.numpy() for tensor in inputs]), dtypes.resource)


# -- one of several --------------------------------------------------------------------------------


def _write_one_of(nodes: Any, op: Any) -> None:
    """TensorFlow's handles are tensors like others: it gathers one."""
    index, *handles = op.inputs
    kind = dtypes.resource
    given = [nodes.input(handle) for handle in handles]
    packed = nodes.add("Pack", f"{op.name}/handles", given, N=len(handles), T=kind, axis=0)
    kinds = {"Tparams": kind, "Tindices": index.dtype}
    nodes.node(op, "Gather", [nodes.output(packed), nodes.input(index)], kinds)


def _chosen(index: Any, *handles: Any) -> Any:
    if not 0 <= int(index) < len(handles):
        raise InvalidArgumentError(
            None, None, f"index {int(index)} is not in [0, {len(handles)}), the number of queues"
        )
    return handles[int(index)]


_one_of = OpDef(
    "OneOfHandles",
    "index: int32, handles: N*resource -> handle: resource",
    shape=lambda attrs, index, *handles: (),
    compute=_chosen,
    grad=not_differentiable,
    stateful=True,
    written=_write_one_of,
)


def one_of(index: Any, handles: Sequence[Tensor]) -> Tensor:
    """The handle at an index: an int32 scalar, looked at each time that the graph runs."""
    handle: Tensor = _one_of(index, list(handles))
    return handle
