"""A kernel as it is handed around: source text, and the key of its object code."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

from hybridflow._src.kernels import contents, target

if TYPE_CHECKING:
    from collections.abc import Callable


@functools.cache
def environment() -> str:
    """Everything but a kernel's source that its object code depends on.

    Raises:
      ImportError: if some of it is not there.
    """
    # Imported when first needed, as elsewhere: they cost as much as a tenth of our own import.
    import hashlib

    import llvmlite

    generator = hashlib.sha256()
    for text in contents.of_package(__name__.rpartition(".")[0]):
        generator.update(text.encode())
    # Numba's version, without an import of it: the worker alone needs it.
    version = hashlib.sha256(contents.of_module("numba", "_version").encode()).hexdigest()
    python = ".".join(map(str, sys.version_info[:2]))
    versions = [f"numba {version}", f"llvmlite {llvmlite.__version__}", f"Python {python}"]
    return "\n".join([generator.hexdigest(), *versions, target.triple(), *target.cpu()])


class Kernel:
    """Source text that defines `kernel(args)`.

    Two kernels of the same text are the same kernel.

    Attributes:
      source: the text. It uses the names of `memory.NAMESPACE` and of vector math alone.
      label: a short name for people.
    """

    __slots__ = ("_key", "label", "source")

    def __init__(self, source: str, label: str) -> None:
        self.source = source
        self.label = label
        self._key: str | None = None

    @property
    def key(self) -> str:
        """A hash of the source and of all that its object code depends on."""
        if self._key is None:
            import hashlib

            text = f"{environment()}\n{self.source}"
            self._key = hashlib.sha256(text.encode()).hexdigest()
        return self._key

    @property
    def symbol(self) -> str:
        """The name of its function in the object code."""
        return f"hf_{self.key[:40]}"

    @property
    def lines(self) -> int:
        """How long its source is, on which depends how long it takes to compile."""
        return self.source.count("\n")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kernel) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"<Kernel {self.label}>"


@functools.cache
def written(function: Callable[..., Any], element: str, index: str = "i64") -> Kernel:
    """The kernel of a function in this package, for one type of elements.

    The function is written for the element type `T` and the index type `I`: `load_T`, `exp_T`,
    `T(0)`. Its text, with these replaced, is the kernel.

    Raises:
      OSError: if the package was installed without its source.
    """
    text = inspect.getsource(function)
    text = re.sub(rf"def {function.__name__}\(", "def kernel(", text, count=1)
    text = re.sub(r"(?<![A-Za-z0-9])T\b", element, text)
    text = re.sub(r"(?<![A-Za-z0-9])I\b", index, text)
    return Kernel(text, f"{function.__name__}_{element}")
