"""Element types: the `DType` singletons, their reference twins, and `as_dtype`."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable
from typing import Any

import numpy

__all__ = [
    "QUANTIZED_DTYPES",
    "DType",
    "as_dtype",
    "bfloat16",
    "bool",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "native_name",
    "qint8",
    "qint16",
    "qint32",
    "quint8",
    "quint16",
    "resource",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "variant",
]

# TensorFlow numbers the reference twin of a type 100 above the type itself.
REF_OFFSET = 100

_BY_ENUM: dict[int, DType] = {}
# Everything that names a type, except TF's enum numbers: True and 1.0 equal 1 and would slip in.
_TABLE: dict[object, DType] = {}


class DType:
    """The type of a tensor's elements: one object for each type, compared with `is` or `==`.

    `DType(enum)` returns the object with that number of TensorFlow's `DataType` enum.

    Attributes:
      name: The type's name, such as `"float32"`; reference types end in `_ref`.
      as_numpy_dtype: The NumPy scalar type; `numpy.object_` for string, resource and variant; for a
        quantized type a `numpy.dtype` with its name.
      np: The `numpy.dtype` of arrays of such elements. Quantized ones are integers there.
      as_datatype_enum: TensorFlow's number of the type; a reference type's is 100 higher.
      base_dtype: The type itself, or for a reference type the type referred to.
      is_bool, is_integer, is_floating, is_complex, is_unsigned, is_quantized: What kind it is.
      is_numpy_compatible: False for resource and variant.
      is_ref_dtype: True for a reference type.
      size: Bytes an element takes in an array (a pointer's for string; 1 for resource, variant).

    >>> import hybridflow as hf
    >>> hf.float32.size, hf.float32.is_floating, hf.float32 == "float32"
    (4, True, True)
    """

    __slots__ = (
        "_as_ref",
        "as_datatype_enum",
        "as_numpy_dtype",
        "base_dtype",
        "is_bool",
        "is_complex",
        "is_floating",
        "is_integer",
        "is_numpy_compatible",
        "is_quantized",
        "is_ref_dtype",
        "is_unsigned",
        "name",
        "np",
        "size",
    )

    name: str
    as_numpy_dtype: type[Any]
    np: numpy.dtype[Any]
    as_datatype_enum: int
    base_dtype: DType
    is_bool: builtins.bool
    is_integer: builtins.bool
    is_floating: builtins.bool
    is_complex: builtins.bool
    is_unsigned: builtins.bool
    is_quantized: builtins.bool
    is_numpy_compatible: builtins.bool
    is_ref_dtype: builtins.bool
    size: int
    _as_ref: DType

    def __new__(cls, type_enum: int) -> DType:
        return as_dtype(type_enum)

    def __getattr__(self, name: str) -> Any:
        """What `bfloat16` lacks until it is wanted: NumPy's type of it.

        Raises:
          ImportError: without the library that has it.
        """
        if name not in ("np", "as_numpy_dtype"):
            raise AttributeError(f"{self!r} has no attribute {name!r}")
        _load_bfloat16()
        return object.__getattribute__(self, name)

    @property
    def _is_ref_dtype(self) -> builtins.bool:
        return self.is_ref_dtype

    @property
    def real_dtype(self) -> DType:
        """The type of the real part: float32 for complex64, float64 for complex128, else itself.

        >>> import hybridflow as hf
        >>> hf.complex128.real_dtype
        <dtype: 'float64'>
        """
        if not self.is_complex:
            return self
        return float32 if self.base_dtype is complex64 else float64

    @property
    def min(self) -> Any:
        """The smallest finite value, for integer and floating types.

        Raises:
          TypeError: The type has no order or no bounds (bool, complex, string, ...).

        >>> import hybridflow as hf
        >>> hf.int8.min
        -128
        """
        return self._bounds("minimum").min

    @property
    def max(self) -> Any:
        """The largest finite value, for integer and floating types.

        Raises:
          TypeError: The type has no order or no bounds (bool, complex, string, ...).

        >>> import hybridflow as hf
        >>> hf.uint16.max
        65535
        """
        return self._bounds("maximum").max

    def _bounds(self, which: str) -> Any:
        if self.base_dtype is bfloat16:
            return importlib.import_module("ml_dtypes").finfo(self.np)
        if self.is_floating:
            return numpy.finfo(self.np)
        if self.is_integer:
            return numpy.iinfo(self.np)
        raise TypeError(f"Cannot find the {which} value of {self}: it is no integer or float type.")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range of pixel values of an image: (0, 1) for floats, (0, max) for integers.

        Raises:
          ValueError: Images of this type have no conventional range.

        >>> import hybridflow as hf
        >>> hf.uint8.limits, hf.float32.limits
        ((0, 255), (0, 1))
        """
        if self.is_floating:
            return 0, 1
        if self.is_integer:
            return 0, self.max
        if self.is_bool:
            return 0, True
        raise ValueError(f"{self} does not have defined limits.")

    def is_compatible_with(self, other: object) -> builtins.bool:
        """Whether a value of type `other` may stand where this type is wanted.

        A reference type serves where its base type is wanted, but not the other way round.

        >>> import hybridflow as hf
        >>> ref = hf.as_dtype("float32_ref")
        >>> hf.float32.is_compatible_with(ref), ref.is_compatible_with(hf.float32)
        (True, False)
        """
        other = as_dtype(other)
        return self is other or self is other.base_dtype

    def __eq__(self, other: object) -> builtins.bool:
        if self is other:
            return True
        if other is None or other.__class__ is DType:
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other: object) -> builtins.bool:
        return not self == other

    def __hash__(self) -> int:
        return self.as_datatype_enum

    def __int__(self) -> int:
        return self.as_datatype_enum

    def __repr__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self) -> tuple[Callable[[object], DType], tuple[str]]:
        return as_dtype, (self.name,)


def _new(name: str, enum: int, scalar: type[Any]) -> DType:
    """Makes and registers one DType, without its twin."""
    dtype = object.__new__(DType)
    array_dtype = numpy.dtype(scalar)
    opaque = name.startswith(("resource", "variant"))
    dtype.name = name
    dtype.as_numpy_dtype = scalar
    dtype.np = array_dtype
    dtype.as_datatype_enum = enum
    dtype.is_bool = array_dtype.kind == "b"
    dtype.is_integer = array_dtype.kind in "iu"
    dtype.is_floating = array_dtype.kind == "f"
    dtype.is_complex = array_dtype.kind == "c"
    dtype.is_unsigned = array_dtype.kind == "u"
    dtype.is_quantized = False
    dtype.is_numpy_compatible = not opaque
    dtype.size = 1 if opaque else array_dtype.itemsize
    _BY_ENUM[enum] = _TABLE[name] = dtype
    return dtype


def _define(name: str, enum: int, scalar: type[Any]) -> DType:
    """Makes a type and its reference twin, and returns the type."""
    base = _new(name, enum, scalar)
    ref = _new(name + "_ref", enum + REF_OFFSET, scalar)
    _twins(base, ref)
    if scalar is not numpy.object_:
        _TABLE[base.np] = _TABLE[scalar] = base
    return base


def _twins(base: DType, ref: DType) -> None:
    """Says of a type and its reference twin what they are to each other."""
    for dtype in (base, ref):
        dtype.base_dtype = base
        dtype._as_ref = ref
        dtype.is_ref_dtype = dtype is ref


float32 = _define("float32", 1, numpy.float32)
float64 = _define("float64", 2, numpy.float64)
int32 = _define("int32", 3, numpy.int32)
uint8 = _define("uint8", 4, numpy.uint8)
int16 = _define("int16", 5, numpy.int16)
int8 = _define("int8", 6, numpy.int8)
string = _define("string", 7, numpy.object_)
complex64 = _define("complex64", 8, numpy.complex64)
int64 = _define("int64", 9, numpy.int64)
bool = _define("bool", 10, numpy.bool_)
uint16 = _define("uint16", 17, numpy.uint16)
complex128 = _define("complex128", 18, numpy.complex128)
float16 = _define("float16", 19, numpy.float16)
resource = _define("resource", 20, numpy.object_)
variant = _define("variant", 21, numpy.object_)
uint32 = _define("uint32", 22, numpy.uint32)
uint64 = _define("uint64", 23, numpy.uint64)


# -- quantized types -------------------------------------------------------------------------------


def _define_quantized(name: str, enum: int, scalar: type[Any]) -> DType:
    """Makes a type whose values are integers that stand for levels between two numbers."""
    base = _new(name, enum, scalar)
    ref = _new(name + "_ref", enum + REF_OFFSET, scalar)
    named = numpy.dtype([(name, scalar)])
    _twins(base, ref)
    for dtype in (base, ref):
        dtype.is_integer = dtype.is_unsigned = False
        dtype.is_quantized = True
        dtype.as_numpy_dtype = named  # type: ignore[assignment]  # as TensorFlow has it
    _TABLE[named] = base
    return base


qint8 = _define_quantized("qint8", 11, numpy.int8)
quint8 = _define_quantized("quint8", 12, numpy.uint8)
qint32 = _define_quantized("qint32", 13, numpy.int32)
qint16 = _define_quantized("qint16", 15, numpy.int16)
quint16 = _define_quantized("quint16", 16, numpy.uint16)
QUANTIZED_DTYPES = frozenset(
    dtype for base in (qint8, quint8, qint16, quint16, qint32) for dtype in (base, base._as_ref)
)


# -- bfloat16 --------------------------------------------------------------------------------------

_NO_LIBRARY = (
    "Arrays of bfloat16 are of a type that the library ml_dtypes adds to NumPy, which is not "
    "installed: pip install 'hybridflow[bfloat16]'"
)


def _define_bfloat16() -> DType:
    """Makes a type that gets NumPy's type of it when that is wanted."""
    base = _new("bfloat16", 14, numpy.float16)
    ref = _new("bfloat16_ref", 14 + REF_OFFSET, numpy.float16)
    _twins(base, ref)
    for dtype in (base, ref):
        del dtype.np, dtype.as_numpy_dtype
    return base


def _load_bfloat16() -> None:
    try:
        scalar = importlib.import_module("ml_dtypes").bfloat16
    except ImportError as error:
        raise ImportError(_NO_LIBRARY) from error
    for dtype in (bfloat16, bfloat16._as_ref):
        dtype.np, dtype.as_numpy_dtype = numpy.dtype(scalar), scalar
    _TABLE[bfloat16.np] = _TABLE[scalar] = bfloat16


bfloat16 = _define_bfloat16()


# -- other names -----------------------------------------------------------------------------------

half = float16
double = float64

_NATIVE_NAMES = {"float16": "half", "float32": "float", "float64": "double"}
for _alias, _dtype in (("half", half), ("float", float32), ("double", double)):
    _TABLE[_alias] = _dtype
    _TABLE[_alias + "_ref"] = _dtype._as_ref
_TABLE.update(
    {
        float: float32,
        int: int32,
        builtins.bool: bool,
        complex: complex128,
        str: string,
        bytes: string,
        object: string,
        numpy.object_: string,
        numpy.dtype(object): string,
        numpy.str_: string,
        numpy.bytes_: string,
    }
)
# C's integer types: which of them coincide with the sized ones depends on the platform.
for _scalar in (numpy.intc, numpy.uintc, numpy.int_, numpy.uint, numpy.longlong, numpy.ulonglong):
    _TABLE.setdefault(_scalar, _TABLE[numpy.dtype(_scalar)])


def native_name(dtype: DType) -> str:
    """The name of a dtype in the messages of TensorFlow's native code, which are C's."""
    return _NATIVE_NAMES.get(dtype.name, dtype.name)


def as_dtype(type_value: object) -> DType:
    """The `DType` that a value names.

    Args:
      type_value: A DType, a number of TensorFlow's `DataType` enum, a name (`"float32"`,
        `"half"`, `"float"`, `"double"`, `"int32_ref"`, ...), a NumPy dtype or scalar type, or one
        of Python's types: float means float32, int int32, complex complex128, str and bytes string.

    Returns:
      The DType, always the same object for the same type.

    Raises:
      TypeError: The value names no type.

    >>> import hybridflow as hf
    >>> hf.as_dtype("double") is hf.float64
    True
    """
    if type_value.__class__ is DType:
        return type_value
    try:
        return _TABLE[type_value]
    except (KeyError, TypeError):
        pass
    found: DType | None = None
    if isinstance(type_value, numpy.dtype):
        if type_value.kind in "SU":
            found = string
        elif type_value.name == "bfloat16":
            _load_bfloat16()
            found = bfloat16
        elif type_value.kind in "iufc":  # the other byte order
            found = _TABLE.get(type_value.newbyteorder("="))
    elif isinstance(type_value, (int, numpy.integer)) and not isinstance(type_value, builtins.bool):
        found = _BY_ENUM.get(int(type_value))
    if found is None:
        raise TypeError(f"Cannot convert value {type_value!r} to a hybridflow DType.")
    return found
