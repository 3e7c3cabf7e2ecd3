"""Vectors in kernels: several numbers of one type as one value, which a register holds.

A form says what lies in memory and how many: `f32x16` are sixteen float32. Kernels load and store
vectors by functions named after the form, and compute with operators, `fma`, `maximum`, `minimum`,
comparisons and `select`, as with scalars. Here stands what the functions mean in Python, where a
vector is an array; the compile worker puts values of LLVM's vector types in their place. A vector
of halves is computed with in float32.

Every form can be compiled for every machine, which takes several registers where one is too small;
`Registers` tells what fits.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.kernels import target
from hybridflow._src.kernels.memory import ELEMENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

# The element types that vectors hold, each with the type that it is computed with.
COMPUTED = {"f16": "f32", "f32": "f32", "f64": "f64"}


class Form(NamedTuple):
    """A form of vectors: the type of elements in memory, and their number."""

    element: str
    lanes: int

    @property
    def name(self) -> str:
        return f"{self.element}x{self.lanes}"

    @property
    def size(self) -> int:
        """In memory, in bytes."""
        return self.lanes * np.dtype(ELEMENT_TYPES[self.element]).itemsize


_BITS = {"f32": 32, "f64": 64}
FORMS = {
    form.name: form
    for element, computed in COMPUTED.items()
    for bits in (128, 256, 512)
    for form in [Form(element, bits // _BITS[computed])]
}


class Registers(NamedTuple):
    """The vector registers of a machine: how many, and the bits of one."""

    number: int
    bits: int

    def form(self, element: str) -> Form:
        """The vectors of an element type that fill a register once they are computed with."""
        return Form(element, self.bits // _BITS[COMPUTED[element]])


def registers() -> Registers:
    """The vector registers of this machine."""
    name, features = target.triple(), target.cpu()[1].split(",")
    if "+avx512f" in features:
        return Registers(32, 512)
    if "+avx2" in features:
        return Registers(16, 256)
    return Registers(32 if name.startswith(("aarch64", "arm64")) else 16, 128)


# -- meanings --------------------------------------------------------------------------------------


def _at(form: Form, address: int, count: int) -> np.ndarray:
    kind = np.dtype(ELEMENT_TYPES[form.element])
    raw = (ctypes.c_char * (count * kind.itemsize)).from_address(int(address))
    return np.frombuffer(memoryview(raw), kind)


def _meanings(form: Form) -> dict[str, Callable[..., Any]]:
    number = ELEMENT_TYPES[COMPUTED[form.element]]

    def load(address: int) -> np.ndarray:
        """The elements from an address on."""
        return _at(form, address, form.lanes).astype(number)

    def load_first(address: int, count: int) -> np.ndarray:
        """The first `count` elements; the others are 0, and their memory is not read."""
        found = np.zeros(form.lanes, number)
        count = min(max(int(count), 0), form.lanes)
        found[:count] = _at(form, address, count)
        return found

    def store(address: int, vector: np.ndarray) -> None:
        """Writes all elements from an address on."""
        store_first(address, vector, form.lanes)

    def store_first(address: int, vector: np.ndarray, count: int) -> None:
        """Writes the first `count` elements."""
        count = min(max(int(count), 0), form.lanes)
        with np.errstate(all="ignore"):
            _at(form, address, count)[...] = vector[:count]

    def bytes_at(address: int, count: int) -> np.ndarray:
        count = min(max(int(count), 0), form.lanes)
        raw = (ctypes.c_char * count).from_address(int(address))
        return np.frombuffer(memoryview(raw), np.uint8)

    def load_bytes(address: int) -> np.ndarray:
        """The bytes from an address on, as numbers."""
        return load_first_bytes(address, form.lanes)

    def load_first_bytes(address: int, count: int) -> np.ndarray:
        """The first `count` bytes; the others are 0, and their memory is not read."""
        found = np.zeros(form.lanes, number)
        bytes_there = bytes_at(address, count)
        found[: len(bytes_there)] = bytes_there
        return found

    def store_bytes(address: int, vector: np.ndarray) -> None:
        """Writes whole numbers from 0 to 255 as bytes."""
        store_first_bytes(address, vector, form.lanes)

    def store_first_bytes(address: int, vector: np.ndarray, count: int) -> None:
        """Writes the first `count` of them."""
        bytes_there = bytes_at(address, count)
        bytes_there[...] = vector[: len(bytes_there)]

    def spread(address: int) -> np.ndarray:
        """The one element at an address, in all lanes."""
        return splat(_at(form, address, 1)[0])

    def splat(x: Any) -> np.ndarray:
        """A number in all lanes."""
        return np.full(form.lanes, x, number)

    def add_up(vector: np.ndarray) -> Any:
        """The sum of all lanes, of halves of the lanes by turns."""
        while len(vector) > 1:
            half = len(vector) // 2
            vector = vector[:half] + vector[half:]
        return vector[0]

    def zip_low(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The first halves of two vectors, their lanes by turns."""
        return zipped(a, b)[: form.lanes]

    def zip_high(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The other halves."""
        return zipped(a, b)[form.lanes :]

    def zipped(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.stack([a, b], 1).reshape(-1)

    functions = (
        *(load, load_first, store, store_first, spread, splat, add_up, zip_low, zip_high),
        *(load_bytes, load_first_bytes, store_bytes, store_first_bytes),
    )
    return {f"{function.__name__}_{form.name}": function for function in functions}


NAMESPACE: dict[str, Any] = {
    name: function for form in FORMS.values() for name, function in _meanings(form).items()
}
