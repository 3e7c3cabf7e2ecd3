"""Minimization by algorithms from outside of the graph, such as those of SciPy."""

from __future__ import annotations

import importlib
import itertools
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hybridflow._src.autodiff.gradients import gradients
from hybridflow._src.framework import context
from hybridflow._src.framework.convert import convert_to_tensor
from hybridflow._src.ops.arrays.constant import zeros_like
from hybridflow._src.ops.arrays.joining import concat
from hybridflow._src.ops.arrays.placeholder import placeholder
from hybridflow._src.ops.arrays.reshaping import reshape
from hybridflow._src.platform import tf_logging
from hybridflow._src.runtime.session import get_default_session
from hybridflow._src.variables.initialization import trainable_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hybridflow._src.framework.tensor import Tensor

__all__ = ["ExternalOptimizerInterface", "ScipyOptimizerInterface"]

_NO_SCIPY = (
    "ScipyOptimizerInterface minimizes by SciPy, which is not installed: "
    "pip install 'hybridflow[scipy]'"
)
_EAGERLY = (
    "{name} runs a graph again and again by a session, and eager mode has none. Build the loss in "
    "a graph (`with hf.Graph().as_default():`)."
)
_NO_SESSION = (
    "No session was given to {name}.minimize, and there is no default session. Use `with "
    "sess.as_default():` or `{name}.minimize(sess)`."
)
_NO_BOUNDS = (
    "var_to_bounds: expected a lower and an upper bound for variable '{name}', numbers or arrays "
    "of shape {shape}, got {given}."
)
_NOT_SCALAR = "{name}: {what} must be a scalar, but {tensor} has shape {shape}."


class ExternalOptimizerInterface:
    """What minimizes by another algorithm than a graph's: a class derived from it has `_minimize`.

    Args:
      loss: scalar tensor to be minimized.
      var_list: list of the variables that it is minimized over, whose shapes are known; all
        trainable ones by default.
      equalities: list of scalar tensors that are to be 0.
      inequalities: list of scalar tensors that are to be 0 or more.
      var_to_bounds: dict from variables to pairs of a lower and an upper bound: numbers or arrays
        that broadcast to the variable's shape, where None or an infinity is no bound.
      optimizer_kwargs: arguments for the algorithm.

    Raises:
      RuntimeError: in eager mode. ValueError: if what must be a scalar is none, or there are no
        variables.
    """

    def __init__(
        self,
        loss: Any,
        var_list: Iterable[Any] | None = None,
        equalities: Iterable[Any] | None = None,
        inequalities: Iterable[Any] | None = None,
        var_to_bounds: Mapping[Any, tuple[Any, Any]] | None = None,
        **optimizer_kwargs: Any,
    ) -> None:
        if context.modes.top.eager:
            raise RuntimeError(_EAGERLY.format(name=type(self).__name__))
        self._loss = self._scalar(loss, "the loss")
        self._equalities = [self._scalar(x, "an equality") for x in equalities or ()]
        self._inequalities = [self._scalar(x, "an inequality") for x in inequalities or ()]
        self._vars = list(trainable_variables() if var_list is None else var_list)
        if not self._vars:
            raise ValueError(f"{type(self).__name__}: there are no variables to optimize.")
        self.optimizer_kwargs = optimizer_kwargs
        self._shapes = [tuple(v.shape.as_list()) for v in self._vars]
        ends = [0, *itertools.accumulate(int(np.prod(shape)) for shape in self._shapes)]
        self._packing_slices = list(map(slice, ends[:-1], ends[1:]))
        self._packed_bounds = None if var_to_bounds is None else self._bounds(var_to_bounds)
        self._update_placeholders = [
            placeholder(v.dtype.base_dtype, shape)
            for v, shape in zip(self._vars, self._shapes, strict=True)
        ]
        self._var_updates = [
            v.assign(given) for v, given in zip(self._vars, self._update_placeholders, strict=True)
        ]
        # A reference variable is fed. Of others a feed reaches no read, so they are assigned to.
        self._assigned = [k for k, v in enumerate(self._vars) if not v.dtype.is_ref_dtype]
        self._packed_var = _packed(self._vars)
        self._packed_loss_grad = self._gradient(self._loss)
        self._packed_equality_grads = list(map(self._gradient, self._equalities))
        self._packed_inequality_grads = list(map(self._gradient, self._inequalities))

    def _scalar(self, value: Any, what: str) -> Tensor:
        tensor = convert_to_tensor(value)
        if tensor.shape.ndims not in (0, None):
            name, shape = type(self).__name__, tensor.shape
            raise ValueError(_NOT_SCALAR.format(name=name, what=what, tensor=tensor, shape=shape))
        return tensor

    def _bounds(self, var_to_bounds: Mapping[Any, tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        lows: list[Any] = []
        highs: list[Any] = []
        for variable, shape in zip(self._vars, self._shapes, strict=True):
            given = var_to_bounds.get(variable, (-np.inf, np.inf))
            try:
                low, high = (np.broadcast_to(bound, shape) for bound in given)
            except (TypeError, ValueError):
                raise ValueError(
                    _NO_BOUNDS.format(name=variable.name, shape=list(shape), given=given)
                ) from None
            lows.extend(low.flat)
            highs.extend(high.flat)
        return list(zip(lows, highs, strict=True))

    def _gradient(self, y: Tensor) -> Tensor:
        found = gradients(y, self._vars)
        pairs = zip(self._vars, found, strict=True)
        return _packed([zeros_like(v) if g is None else convert_to_tensor(g) for v, g in pairs])

    def minimize(
        self,
        session: Any = None,
        feed_dict: Mapping[Any, Any] | None = None,
        fetches: Sequence[Any] | None = None,
        step_callback: Callable[..., Any] | None = None,
        loss_callback: Callable[..., Any] | None = None,
        **run_kwargs: Any,
    ) -> None:
        """Minimizes the loss, by as many runs of the session as it takes, and sets the variables.

        Args:
          session: the session; the default one by default.
          feed_dict: what is fed in each run.
          fetches: list of tensors whose values `loss_callback` gets.
          step_callback: function that is called after each step, with the values of all variables
            as one vector.
          loss_callback: function that is called each time that the loss is computed, with the
            values of `fetches` as its arguments.
          run_kwargs: arguments for the last `session.run`, which sets the variables.

        Raises:
          ValueError: if there is no session.

        What else is raised, by a callback for instance, leaves the variables as they were.
        """
        session = get_default_session() if session is None else session
        if session is None:
            raise ValueError(_NO_SESSION.format(name=type(self).__name__))
        fetched = list(fetches or ())
        begun = session.run(self._packed_var)

        def function_of(tensors: list[Tensor], callback: Any = None) -> Callable[[Any], Any]:
            return self._function(session, dict(feed_dict or {}), tensors, fetched, callback)

        def one_of(tensor: Tensor) -> Callable[[Any], Any]:
            function = function_of([tensor])
            return lambda x: function(x)[0]

        def functions_of(tensors: list[Tensor]) -> list[Callable[[Any], Any]]:
            return [one_of(tensor) for tensor in tensors]

        try:
            found = self._minimize(
                initial_val=begun,
                loss_grad_func=function_of(
                    [self._loss, self._packed_loss_grad], loss_callback or _nothing
                ),
                equality_funcs=functions_of(self._equalities),
                equality_grad_funcs=functions_of(self._packed_equality_grads),
                inequality_funcs=functions_of(self._inequalities),
                inequality_grad_funcs=functions_of(self._packed_inequality_grads),
                packed_bounds=self._packed_bounds,
                step_callback=step_callback or _nothing,
                optimizer_kwargs=self.optimizer_kwargs,
            )
        except BaseException:
            self._assign(session, begun, self._assigned)
            raise
        self._assign(session, found, range(len(self._vars)), **run_kwargs)

    def _assign(self, session: Any, packed: Any, which: Iterable[int], **run_kwargs: Any) -> None:
        values = self._unpacked(packed)
        updates = [self._var_updates[k].op for k in which]
        if updates:
            feeds = {self._update_placeholders[k]: values[k] for k in which}
            session.run(updates, feeds, **run_kwargs)

    def _unpacked(self, packed: Any) -> list[Any]:
        parts = zip(self._packing_slices, self._shapes, strict=True)
        return [np.reshape(packed[where], shape) for where, shape in parts]

    def _function(
        self,
        session: Any,
        feeds: dict[Any, Any],
        tensors: list[Tensor],
        fetches: list[Any],
        callback: Callable[..., Any] | None,
    ) -> Callable[[Any], list[Any]]:
        """The function from a vector of all variables to values of tensors."""

        def function(packed: Any) -> list[Any]:
            self._assign(session, packed, self._assigned)
            values = self._unpacked(packed)
            fed = {v: values[k] for k, v in enumerate(self._vars) if k not in self._assigned}
            found = session.run([*tensors, *fetches], {**fed, **feeds})
            if callback is not None:
                callback(*found[len(tensors) :])
            return list(found[: len(tensors)])

        return function

    def _minimize(
        self,
        initial_val: Any,
        loss_grad_func: Callable[[Any], list[Any]],
        equality_funcs: list[Callable[[Any], Any]],
        equality_grad_funcs: list[Callable[[Any], Any]],
        inequality_funcs: list[Callable[[Any], Any]],
        inequality_grad_funcs: list[Callable[[Any], Any]],
        packed_bounds: list[tuple[Any, Any]] | None,
        step_callback: Callable[..., Any],
        optimizer_kwargs: dict[str, Any],
    ) -> Any:
        """The algorithm: from a vector of initial values to the vector that it finds.

        Args:
          initial_val: vector of all variables.
          loss_grad_func: function of such a vector that gives the loss and its gradient.
          equality_funcs, inequality_funcs: functions that give what is to be 0, or at least 0.
          equality_grad_funcs, inequality_grad_funcs: functions that give the gradients of these.
          packed_bounds: a lower and an upper bound for each number, or None.
          step_callback: what is to be called with the vector after each step.
          optimizer_kwargs: arguments for the algorithm.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no _minimize: derive from ExternalOptimizerInterface a "
            "class that does."
        )


class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """Minimizes by `scipy.optimize.minimize` (the extra `scipy`).

    Args:
      loss, var_list, equalities, inequalities, var_to_bounds: see `ExternalOptimizerInterface`.
      optimizer_kwargs: `method`, by default "L-BFGS-B", `options`, `tol` and what else
        `scipy.optimize.minimize` takes.

    Raises:
      ImportError: by `minimize`, if SciPy is not installed. ValueError: by `minimize`, for an
        argument that is set from others: "bounds" by `var_to_bounds`, "constraints", "jac" and
        "callback".

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session() as session:
    ...     x = hf.get_variable("x", initializer=[7.0, 7.0])
    ...     optimizer = hf.contrib.opt.ScipyOptimizerInterface(
    ...         hf.reduce_sum(hf.square(x)), var_to_bounds={x: ([1.0, -2.0], None)}
    ...     )
    ...     session.run(x.initializer)
    ...     optimizer.minimize(session)
    ...     print(session.run(x).round(3))
    [1. 0.]
    """

    _DEFAULT_METHOD: ClassVar[str] = "L-BFGS-B"

    def _minimize(
        self,
        initial_val: Any,
        loss_grad_func: Callable[[Any], list[Any]],
        equality_funcs: list[Callable[[Any], Any]],
        equality_grad_funcs: list[Callable[[Any], Any]],
        inequality_funcs: list[Callable[[Any], Any]],
        inequality_grad_funcs: list[Callable[[Any], Any]],
        packed_bounds: list[tuple[Any, Any]] | None,
        step_callback: Callable[..., Any],
        optimizer_kwargs: dict[str, Any],
    ) -> Any:
        given = dict(optimizer_kwargs)
        method = given.pop("method", self._DEFAULT_METHOD)
        arguments: dict[str, Any] = {
            "jac": True,
            "callback": step_callback,
            "method": method,
            "constraints": [
                *_constraints("eq", equality_funcs, equality_grad_funcs),
                *_constraints("ineq", inequality_funcs, inequality_grad_funcs),
            ],
            "bounds": packed_bounds,
        }
        for name in given:
            if name == "bounds":
                raise ValueError("Bounds must be set using the var_to_bounds argument.")
            if name in arguments:
                raise ValueError(
                    f"Optimizer keyword arg {name!r} is set automatically and cannot be injected "
                    "manually: constraints are the arguments equalities and inequalities, "
                    "callbacks those of minimize()."
                )

        def loss_and_gradient(x: Any) -> tuple[Any, Any]:
            loss, gradient = loss_grad_func(x)
            return loss, gradient.astype(np.float64)

        # Compiled methods of SciPy take no other dtype.
        begin = initial_val.astype(np.float64)
        found = _scipy().minimize(loss_and_gradient, begin, **arguments, **given)
        tf_logging.info(
            "Optimization terminated with:\n  Message: %s\n  Objective function value: %f\n"
            "  Number of iterations: %s\n  Number of functions evaluations: %s",
            found.message,
            found.fun,
            found.get("nit", "unknown"),
            found.get("nfev", "unknown"),
        )
        return found.x


def _constraints(
    kind: str, functions: list[Callable[[Any], Any]], slopes: list[Callable[[Any], Any]]
) -> list[dict[str, Any]]:
    pairs = zip(functions, slopes, strict=True)
    return [{"type": kind, "fun": _wide(f), "jac": _wide(slope)} for f, slope in pairs]


def _wide(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: function(x).astype(np.float64)


def _packed(tensors: Sequence[Any]) -> Tensor:
    """All numbers of tensors as one vector."""
    return concat([reshape(tensor, [-1]) for tensor in tensors], 0)


def _nothing(*_: Any) -> None:
    """What is called where no callback is given."""


def _scipy() -> Any:
    try:
        return importlib.import_module("scipy.optimize")
    except ImportError as error:
        raise ImportError(_NO_SCIPY) from error
