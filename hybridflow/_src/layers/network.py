"""`Network` and `Sequential`: layers made of layers, as TensorFlow 1.4's contrib has them."""

from __future__ import annotations

import inspect
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

from hybridflow._src.framework.graph_keys import current_collections
from hybridflow._src.layers.layer import Layer, snake_case
from hybridflow._src.variables.scope import variable_scope
from hybridflow._src.variables.scope_state import VariableScope, current

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Network", "Sequential"]

_KEY = "networks"
_TAKEN = (
    "A Network named '{name}' already exists (or a variable_scope was created with this name). "
    "Names must be unique: leave the name out, and one is made up."
)
_NAMELESS = (
    "The network does not yet have a final name, but a name was requested for it. Networks get a "
    "name when they are added to another Network via track_layer, or when they are first "
    "called/built."
)


def _used() -> set[str]:
    """The full names of networks, in the graph or eager variable store."""
    found: set[str] = current_collections().extensions.setdefault(_KEY, set())
    return found


def _is_taken(scope: str, name: str) -> bool:
    """Whether a network, a variable or a variable scope has a name in a scope."""
    store = current().store
    full_name = f"{scope}/{name}" if scope else name
    return (
        full_name in _used()
        or store.counts.unique(scope, name) != name
        or any(known.startswith(f"{full_name}/") for known in store.variables)
    )


class Network(Layer):
    """A layer that is made of other ones: it knows their variables, and names them by itself.

    A class of one's own makes layers in `__init__`, each told by `track_layer`, and calls them in
    `call`. Variables are named after the network and its layers: `net/dense/kernel`.

    Args:
      name: the name, which must be unique where the network is added to another one, or is called;
        by default one is made of the class.

    Raises:
      ValueError: for a name with slashes, or a variable scope. A name that is taken is told when
        the network is called.

    >>> import hybridflow as hf
    >>> class Two(hf.contrib.eager.Network):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.first = self.track_layer(hf.layers.Dense(4))
    ...         self.second = self.track_layer(hf.layers.Dense(1, use_bias=False))
    ...     def call(self, inputs):
    ...         return self.second(self.first(inputs))
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     net = Two()
    ...     shape = net(hf.ones([5, 3])).shape
    ...     print(shape, [v.name for v in net.variables])
    (5, 1) ['two/dense/kernel:0', 'two/dense/bias:0', 'two/dense_1/kernel:0']
    """

    _names_ops_as_variables = True

    def __init__(self, name: str | None = None) -> None:
        if isinstance(name, VariableScope):
            raise ValueError("VariableScopes are not valid Network names.")
        if name is not None and "/" in name:
            raise ValueError("Forward slashes ('/') are not allowed in Network names.")
        # Who has no name gets one when it is known what it is a part of.
        super().__init__(name=name or "network")
        self._name = name
        self._layers: list[Layer] = []
        self._own: dict[str, Layer] = {}
        self._first_parent: Any = None
        self._around = current().scopes.top

    @property
    def name(self) -> str:  # type: ignore[override]
        """Its name.

        Raises:
          ValueError: before it is known.
        """
        if self._name is None:
            raise ValueError(_NAMELESS)
        return self._name

    @property
    def layers(self) -> list[Layer]:
        """The layers that it is made of."""
        return self._layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """One of the layers, by its name or its number.

        Raises:
          ValueError: unless one of both is given, and there is such a layer.
        """
        if index is not None:
            if name is not None:
                raise ValueError("Exactly one of 'index' or 'name' must be provided")
            if len(self._layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(self._layers)} layers."
                )
            return self._layers[index]
        if not name:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in self._layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}")

    # -- names -------------------------------------------------------------------------------------

    def track_layer(self, layer: Layer) -> Layer:
        """Notes a layer that `call` uses, and gives it back.

        Raises:
          TypeError: if it is none. ValueError: if there is another one of its name. RuntimeError:
            before `Network.__init__`.
        """
        if not hasattr(self, "_own"):
            raise RuntimeError("Need to call Network.__init__ before adding layers")
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Network.track_layer() passed type {type(layer)}, not a tf.layers.Layer"
            )
        if not layer.built and _parent_of(layer) is None:
            if isinstance(layer, Network):
                if layer._name is None:
                    layer._name = self._unique(layer)
            elif layer._name != layer._base_name:  # a name that was made up
                layer._name = layer._base_name = self._unique(layer)
            other = self._own.get(layer.name)
            if other is not None:
                raise ValueError(
                    f"Attempt to add two Layers with the name '{layer.name}' to the same Network."
                )
            layer._first_parent = weakref.ref(self)  # type: ignore[attr-defined]
            self._own[layer.name] = layer
            if self._scope is not None:
                self._open_for(layer)
        elif self._own.get(layer._name or "") is layer:
            return layer
        self._layers.append(layer)
        return layer

    def _unique(self, layer: Layer) -> str:
        base = _base_of(layer)
        return _first_free(base, lambda name: name in self._own)

    def _set_scope(self, scope: Any = None) -> None:
        if self._scope is not None:
            return
        if scope is not None:
            raise ValueError("Networks may not be created with explicit scopes.")
        parent = _parent_of(self)
        around = self._around
        if parent is not None:
            parent._set_scope()
            around = parent._scope
        if self._name is None:
            self._name = _first_free(_base_of(self), lambda name: _is_taken(around.name, name))
        elif _is_taken(around.name, self._name):
            raise ValueError(_TAKEN.format(name=self._name))
        with variable_scope(around), variable_scope(self._name, use_resource=True) as opened:
            pass
        _used().add(opened.name)
        self._scope = opened
        if parent is None:
            # Its name has the scopes in it that it was made in.
            self._name = opened.name
        for layer in self._layers:
            self._open_for(layer)

    def _open_for(self, layer: Layer) -> None:
        """Gives a layer its scope, under that of the network that it was added to first.

        Raises:
          ValueError: if that network is gone.
        """
        if layer._scope is not None or isinstance(layer, Network):
            return
        parent = _parent_of(layer)
        if parent is None:
            raise ValueError(
                f"The parent of a Layer added to Network {self._name} was garbage collected before "
                "the Layer was built: keep it, since its name is a part of the Layer's variables'."
            )
        parent._set_scope()
        if layer._scope is None:
            with (
                variable_scope(parent._scope),
                variable_scope(layer.name, use_resource=True) as layer._scope,
            ):
                layer._names_ops_as_variables = True

    # -- what it has of its layers -----------------------------------------------------------------

    @property
    def weights(self) -> list[Any]:
        """All variables of its layers."""
        return [weight for layer in self._layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables of its layers that are trained."""
        return [weight for layer in self._layers for weight in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The variables of its layers that are not trained."""
        return [weight for layer in self._layers for weight in layer.non_trainable_weights]

    @property
    def losses(self) -> list[Any]:
        """The losses of its layers."""
        return [loss for layer in self._layers for loss in layer.losses]

    @property
    def updates(self) -> list[Any]:
        """The updates of its layers, in graphs."""
        return [update for layer in self._layers for update in layer.updates]

    @property
    def trainable(self) -> bool:
        """True: its layers say which of their variables are trained."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise AttributeError("cannot mark Network as not trainable: mark its layers")

    def add_variable(self, name: str, shape: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Not for networks: their layers have variables.

        Raises:
          RuntimeError: always.
        """
        raise RuntimeError(
            f"add_variable is not supported in Network class: make {name!r} in a layer of its own."
        )

    def add_loss(self, losses: Any, inputs: Any = None) -> NoReturn:
        """Not for networks: their layers have losses.

        Raises:
          RuntimeError: always.
        """
        raise RuntimeError("add_loss is not supported in Network class: add it to a layer.")


def _parent_of(layer: Layer) -> Any:
    reference = getattr(layer, "_first_parent", None)
    return None if reference is None else reference()


def _base_of(layer: Layer) -> str:
    return snake_case(type(layer).__name__)


def _first_free(base: str, is_taken: Callable[[str], bool]) -> str:
    name, number = base, 0
    while is_taken(name):
        number += 1
        name = f"{base}_{number}"
    return name


class Sequential(Network):
    """A network whose layers, or functions, are called one after the other.

    Args:
      layers_funcs: a list of layers and functions.
      name: as for `Network`.

    >>> import hybridflow as hf
    >>> with hf.eager_mode(), hf.EagerVariableStore().as_default():
    ...     net = hf.contrib.eager.Sequential([hf.layers.Dense(3), hf.nn.relu, hf.layers.Dense(2)])
    ...     print(net(hf.ones([4, 5])).shape, len(net.layers), net.name)
    (4, 2) 2 sequential
    """

    def __init__(self, layers_funcs: Sequence[Any] | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._layers_funcs: list[tuple[bool, Any]] = []
        for layer in layers_funcs or ():
            self.add(layer)

    def add(self, layer_func: Any) -> None:
        """Adds a layer, or a function of a tensor, at the end.

        Raises:
          TypeError: if it is neither.
        """
        called = layer_func
        if isinstance(layer_func, Layer):
            called = self.track_layer(layer_func).call
        elif not callable(layer_func):
            raise TypeError(
                "Sequential.add() takes only tf.layers.Layer objects or callables; not "
                f"'{layer_func}' of type '{type(layer_func)}'."
            )
        takes_training = "training" in inspect.signature(called).parameters
        self._layers_funcs.append((takes_training, layer_func))

    def call(  # type: ignore[override]
        self, inputs: Any, training: Any = None
    ) -> Any:
        """Calls one after the other; `training` goes to those that know such an argument."""
        for takes_training, function in self._layers_funcs:
            if takes_training and training is not None:
                inputs = function(inputs, training=training)
            else:
                inputs = function(inputs)
        return inputs
