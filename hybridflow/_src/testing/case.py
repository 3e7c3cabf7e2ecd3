"""`TestCase`: unit tests of programs that compute with tensors."""

from __future__ import annotations

import contextlib
import importlib
import random
import threading
import unittest
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hybridflow._src.framework import context, dtypes, nest
from hybridflow._src.framework.default_graph import get_default_graph, reset_default_graph
from hybridflow._src.framework.device import canonical_name
from hybridflow._src.framework.errors import OpError
from hybridflow._src.framework.stack import Opener
from hybridflow._src.runtime.session import Session, get_default_session
from hybridflow._src.testing.places import get_temp_dir

__all__ = ["TestCase"]

# The seed of the default graph in each test, which is TensorFlow's.
_SEED = 87654321


class _Thread:
    """A thread of a test, whose error is the test's."""

    def __init__(
        self, case: TestCase, target: Callable[..., Any], args: Any = None, kwargs: Any = None
    ) -> None:
        self._case = case
        self._error: BaseException | None = None
        self._joined = False

        def run() -> None:
            try:
                target(*(args or ()), **(kwargs or {}))
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=run, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def join(self) -> None:
        """Waits for the thread's end; raises what it raised."""
        self._joined = True
        self._thread.join()
        if self._error is not None:
            self._case.fail(f"Error in checkedThread: {self._error}")

    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def check_termination(self) -> None:
        """Fails the test if the thread was started and has not been joined."""
        if self._thread.ident is not None and not self._joined:
            self._case.fail("A checked thread was not joined.")


class _Opened(Opener):
    """A `with` statement in which a session is the default one, and stays open."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _open(self, opened: Any) -> Session:
        self._session.graph.as_default()._open(opened)
        self._session.as_default()._open(opened)
        return self._session


class _Raises:
    """A `with` statement that must raise an error which a pattern or a predicate takes."""

    def __init__(self, case: TestCase, kind: Any, expected: Any) -> None:
        self._case, self._kind, self._expected = case, kind, expected

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if kind is None:
            self._case.fail(f"{getattr(self._kind, '__name__', self._kind)} not raised")
        if not issubclass(kind, self._kind):
            return False
        if not callable(self._expected):
            text = error.message if isinstance(error, OpError) else str(error)
            if isinstance(error, OpError) and error.op is not None:
                text = f"{text}\nCaused by: {error.op.name}"
            self._case.assertRegex(text, self._expected)
        elif not self._expected(error):
            raise AssertionError(f"Exception of type {kind}: {error}") from error
        return True


class TestCase(unittest.TestCase):
    """A `unittest.TestCase` for tensors, sessions and arrays.

    Each test begins with an empty default graph and the same seeds (of the graph, of NumPy's and of
    Python's global generators).

    >>> import hybridflow as hf
    >>> class SquareTest(hf.test.TestCase):
    ...     def testSquare(self):
    ...         with self.test_session():
    ...             self.assertAllEqual(hf.square([2, 3]).eval(), [4, 9])
    >>> result = unittest.TestResult()
    >>> _ = SquareTest("testSquare").run(result)
    >>> result.testsRun, result.failures, result.errors
    (1, [], [])
    """

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self._threads: list[_Thread] = []
        self._tempdir: str | None = None
        self._cached_session: Session | None = None

    def setUp(self) -> None:
        self._ClearCachedSession()
        random.seed(_SEED)
        np.random.seed(_SEED)
        reset_default_graph()
        get_default_graph().seed = _SEED

    def tearDown(self) -> None:
        try:
            for thread in self._threads:
                thread.check_termination()
        finally:
            self._ClearCachedSession()

    def _ClearCachedSession(self) -> None:
        if self._cached_session is not None:
            self._cached_session.close()
            self._cached_session = None

    # -- sessions ----------------------------------------------------------------------------------

    def get_temp_dir(self) -> str:
        """A folder for files of this test, the same each time in one test."""
        if self._tempdir is None:
            self._tempdir = get_temp_dir(self.id())
        return self._tempdir

    def session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Any:
        """A new session that is the default one, with its graph, in a `with` statement.

        Args:
          graph: its graph; None: the default graph.
          config: a `ConfigProto`.
          use_gpu, force_gpu: accepted for compatibility; there is no GPU here.
        """
        if context.executing_eagerly():
            return contextlib.nullcontext()
        return Session(graph=graph, config=config)

    def cached_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Any:
        """A session that is the same one in the whole test, otherwise like `session`."""
        if context.executing_eagerly():
            return contextlib.nullcontext()
        if self._cached_session is None:
            self._cached_session = Session(graph=graph, config=config)
        return _Opened(self._cached_session)

    def test_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Any:
        """A session for a `with` statement: of the graph given, or the same in the whole test."""
        if self._testMethodName == "test_session":
            self.skipTest("Not a test.")
        make = self.cached_session if graph is None else self.session
        return make(graph, config, use_gpu, force_gpu)

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors, nested as they are: in eager mode at once, else by the session."""
        if context.executing_eagerly():
            return nest.map_structure(lambda t: t.numpy() if hasattr(t, "numpy") else t, tensors)
        session = get_default_session()
        if session is not None:
            return session.run(tensors)
        with self.test_session() as session:
            return session.run(tensors)

    def checkedThread(
        self, target: Callable[..., Any], args: Any = None, kwargs: Any = None
    ) -> _Thread:
        """A thread with `start` and `join`, in which an error fails the test."""
        thread = _Thread(self, target, args, kwargs)
        self._threads.append(thread)
        return thread

    # -- numbers -----------------------------------------------------------------------------------

    def _GetNdArray(self, a: Any) -> np.ndarray:
        if not isinstance(a, np.ndarray | np.generic) and hasattr(a, "numpy"):
            a = a.numpy()
        return np.asarray(a)

    def assertNear(self, f1: Any, f2: Any, err: float, msg: str | None = None) -> None:
        """That two numbers differ by at most `err`, or are equal (infinities too)."""
        if not (f1 == f2 or abs(f1 - f2) <= err):
            words = f"{f1!r} and {f2!r} differ by more than {err!r}"
            self.fail(words if msg is None else f"{words}: {msg}")

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float) -> None:
        """That two sequences have one length, and their elements differ by at most `err`."""
        self.assertEqual(len(farray1), len(farray2))
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err)

    def _NDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float) -> bool:
        return bool(np.linalg.norm(ndarray1 - ndarray2) < err)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float) -> None:
        """That the Euclidean distance of two arrays is less than `err`."""
        distance = np.linalg.norm(self._GetNdArray(ndarray1) - self._GetNdArray(ndarray2))
        self.assertTrue(distance < err, f"The arrays have distance {distance}, not below {err}.")

    def _both_shapes(self, a: Any, b: Any, msg: str | None) -> tuple[np.ndarray, np.ndarray]:
        a, b = self._GetNdArray(a), self._GetNdArray(b)
        words = f"Shape mismatch: expected {a.shape}, got {b.shape}."
        self.assertEqual(a.shape, b.shape, words if msg is None else f"{words} {msg}")
        return a, b

    def assertAllClose(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
        """That two arrays have one shape and `|a - b| <= atol + rtol |b|` everywhere.

        NaN is near NaN. Mappings, and lists or tuples of arrays of several shapes, are compared by
        element.
        """
        if isinstance(a, Mapping) or isinstance(b, Mapping):
            self.assertIsInstance(a, Mapping)
            self.assertIsInstance(b, Mapping)
            self.assertCountEqual(a, b)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, f"key {key!r}")
            return
        if _is_ragged(a) or _is_ragged(b):
            self.assertEqual(len(a), len(b))
            for first, second in zip(a, b, strict=True):
                self.assertAllClose(first, second, rtol, atol, msg)
            return
        a, b = self._both_shapes(a, b, msg)
        np.testing.assert_allclose(a, b, rtol, atol, err_msg=msg or "")

    def assertNotAllClose(self, a: Any, b: Any, **kwargs: Any) -> None:
        """That `assertAllClose` would fail."""
        try:
            self.assertAllClose(a, b, **kwargs)
        except AssertionError:
            return
        self.fail("The two values are close at all elements.")

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        msg: str | None = None,
    ) -> None:
        """`assertAllClose` with the tolerances of the narrower dtype: float32, float16."""
        dtypes = {self._GetNdArray(x).dtype for x in (a, b)}
        if dtypes & {np.dtype(np.float32), np.dtype(np.complex64)}:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        if np.dtype(np.float16) in dtypes:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """That two arrays have one shape and equal elements; NaN equals NaN."""
        a, b = self._both_shapes(a, b, msg)
        np.testing.assert_array_equal(a, b, err_msg=msg or "")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """That all elements are greater than the target."""
        self.assertGreater(self._GetNdArray(a).min(), comparison_target)

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """That all elements are less than the target."""
        self.assertLess(self._GetNdArray(a).max(), comparison_target)

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """That no element is less than the target."""
        self.assertGreaterEqual(self._GetNdArray(a).min(), comparison_target)

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """That no element is greater than the target."""
        self.assertLessEqual(self._GetNdArray(a).max(), comparison_target)

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """That all elements lie between two bounds, which belong to the range unless it is open."""
        values = self._GetNdArray(target)
        above = values > lower_bound if open_lower_bound else values >= lower_bound
        below = values < upper_bound if open_upper_bound else values <= upper_bound
        outside = values[~(above & below)]
        if outside.size:
            ends = "(" if open_lower_bound else "[", ")" if open_upper_bound else "]"
            self.fail(f"{outside} not in {ends[0]}{lower_bound}, {upper_bound}{ends[1]}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """That all elements are among some values."""
        strays = set(self._GetNdArray(target).ravel().tolist()) - set(expected_set)
        if strays:
            self.fail(f"{sorted(strays)} are not in {expected_set}")

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """That a tensor, an array or each of a list has a dtype."""
        for value in target if isinstance(target, list | tuple) else [target]:
            self.assertEqual(self._GetNdArray(value).dtype, dtypes.as_dtype(expected_dtype).np)

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any, msg: str | None = None) -> None:
        """That the static shape of a tensor is the shape of an array."""
        self.assertEqual(list(np_array.shape), tf_tensor.get_shape().as_list(), msg)

    # -- containers, as absl has them --------------------------------------------------------------

    def assertLen(self, container: Any, expected_len: int, msg: str | None = None) -> None:
        """That a container has so many items."""
        if len(container) != expected_len:
            found = f"{container!r} has length of {len(container)}, expected {expected_len}."
            self.fail(found if msg is None else f"{found} : {msg}")

    def assertEmpty(self, container: Any, msg: str | None = None) -> None:
        """That a container has no items."""
        self.assertLen(container, 0, msg)

    def assertNotEmpty(self, container: Any, msg: str | None = None) -> None:
        """That a container has items."""
        if not len(container):
            self.fail(f"{container!r} has length of 0." if msg is None else msg)

    def assertBetween(self, value: Any, minv: Any, maxv: Any, msg: str | None = None) -> None:
        """That a number is neither below one nor above another."""
        if not minv <= value <= maxv:
            self.fail(msg or f"{value!r} unexpectedly not between {minv!r} and {maxv!r}")

    # -- errors, texts, messages -------------------------------------------------------------------

    def assertRaisesWithPredicateMatch(
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Any:
        """That the `with` block raises such an error as a pattern or a predicate describes.

        The text is the error's message; of an error of an op also the op's name.
        """
        return _Raises(self, exception_type, expected_err_re_or_predicate)

    def assertRaisesWithLiteralMatch(
        self,
        expected_exception: Any,
        expected_exception_message: str,
        callable_obj: Callable[..., Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """That a function, or the `with` block, raises an error with just that text."""
        raised = _Raises(
            self, expected_exception, lambda error: str(error) == expected_exception_message
        )
        if callable_obj is None:
            return raised
        with raised:
            callable_obj(*args, **kwargs)
        return None

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """That the `with` block raises an `OpError` of such a text."""
        return self.assertRaisesWithPredicateMatch(OpError, expected_err_re_or_predicate)

    def assertStartsWith(self, actual: str, expected_start: str, msg: str | None = None) -> None:
        """That a text begins with another."""
        if not actual.startswith(expected_start):
            words = f"{actual!r} does not start with {expected_start!r}"
            self.fail(words if msg is None else f"{words}: {msg}")

    def assertItemsEqual(self, first: Any, second: Any, msg: str | None = None) -> None:
        """That two sequences hold the same elements, in any order."""
        self.assertCountEqual(first, second, msg)

    def assertDeviceEqual(self, device1: Any, device2: Any) -> None:
        """That two devices have the same canonical names."""
        self.assertEqual(canonical_name(device1), canonical_name(device2))

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any) -> None:
        """That two messages are equal; the expected one may be in text format."""
        expected = expected_message_maybe_ascii
        if isinstance(expected, str):
            text_format = importlib.import_module("google.protobuf.text_format")
            expected = text_format.Merge(expected, type(message)())
        self.assertEqual(str(expected), str(message))


def _is_ragged(value: Any) -> bool:
    """Whether it is a list or tuple that is no array."""
    if not isinstance(value, list | tuple):
        return False
    try:
        return np.asarray(value).dtype == object
    except ValueError:
        return True
