"""What the example programs share: one way to train and to evaluate, eagerly or as a graph.

    with two_modes.open_mode("graph") as run:
        step = run.trainer(loss_of, hf.train.AdamOptimizer(0.01))
        for images, labels in batches:
            loss = step(images, labels)
        accuracy = run.function(accuracy_of)(test_images, test_labels)

`loss_of` and `accuracy_of` are plain functions of tensors that get their variables by
`hf.get_variable`. Nothing in them depends on the mode.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import hybridflow as hf

SEED = 1


class Eager:
    """Runs functions of tensors at once."""

    def function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, of arrays to a value."""
        return lambda *arrays: function(*map(hf.constant, arrays)).numpy()

    def batches(self, make: Callable[[], Any]) -> Iterator[list[np.ndarray]]:
        """The elements of the dataset that `make` makes, as arrays."""
        for element in make():
            yield [part.numpy() for part in element]

    def trainer(
        self, loss_of: Callable[..., Any], optimizer: Any, scope: str | None = None
    ) -> Callable[..., float]:
        """A function of arrays that takes one step down `loss_of`, and gives the loss before it.

        Args:
          loss_of: a function of tensors.
          optimizer: what changes the variables.
          scope: the only variable scope whose variables are changed.
        """

        def step(*arrays: Any) -> float:
            with hf.GradientTape() as tape:
                loss = loss_of(*map(hf.constant, arrays))
            variables = hf.trainable_variables(scope)
            gradients = tape.gradient(loss, variables)
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return float(loss)

        return step


class Graph:
    """Builds functions of tensors once, and runs them in a session."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._initialized: set[Any] = set()

    def function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, of arrays to a value; built when it is first called."""
        built: list[Callable[..., Any]] = []

        def call(*arrays: Any) -> Any:
            if not built:
                feeds = [self._placeholder(np.asarray(array)) for array in arrays]
                fetched = function(*feeds)
                self._initialize()
                built.append(self._session.make_callable(fetched, feeds))
            return built[0](*arrays)

        return call

    def batches(self, make: Callable[[], Any]) -> Iterator[list[np.ndarray]]:
        """As `Eager.batches`."""
        iterator = make().make_initializable_iterator()
        element = iterator.get_next()
        self._session.run(hf.tables_initializer())
        self._session.run(iterator.initializer)
        following = self._session.make_callable(element)
        with contextlib.suppress(hf.errors.OutOfRangeError):
            while True:
                yield following()

    def trainer(
        self, loss_of: Callable[..., Any], optimizer: Any, scope: str | None = None
    ) -> Callable[..., float]:
        """As `Eager.trainer`."""

        def build(*tensors: Any) -> Any:
            loss = loss_of(*tensors)
            variables = hf.trainable_variables(scope)
            return loss, optimizer.minimize(loss, var_list=variables)

        step = self.function(build)
        return lambda *arrays: float(step(*arrays)[0])

    @staticmethod
    def _placeholder(array: np.ndarray) -> Any:
        """A placeholder for arrays like this one, with any number of rows."""
        shape = [None, *array.shape[1:]] if array.ndim else []
        return hf.placeholder(hf.as_dtype(array.dtype), shape)

    def _initialize(self) -> None:
        new = [v for v in hf.global_variables() if v not in self._initialized]
        self._session.run(hf.variables_initializer(new))
        self._initialized.update(new)


@contextlib.contextmanager
def open_mode(mode: str) -> Iterator[Eager | Graph]:
    """A context in which one mode is on, with variables of its own and the same random numbers."""
    if mode == "eager":
        with hf.eager_mode(), hf.EagerVariableStore().as_default():
            hf.set_random_seed(SEED)
            yield Eager()
    else:
        with hf.Graph().as_default(), hf.Session() as session:
            hf.set_random_seed(SEED)
            yield Graph(session)


def parse(
    argv: list[str] | None, description: str | None, steps: int, mode: str = "graph"
) -> argparse.Namespace:
    """The options that all examples have; `steps` and `mode` are the defaults."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--mode", choices=("eager", "graph"), default=mode, help=f"({mode})")
    parser.add_argument("--steps", type=int, default=steps, help=f"training steps ({steps})")
    return parser.parse_args(argv)


def is_shown(step: int, steps: int) -> bool:
    """Whether progress is printed after this step: ten times, and after the last one."""
    return step % max(1, steps // 10) == 0 or step == steps - 1
