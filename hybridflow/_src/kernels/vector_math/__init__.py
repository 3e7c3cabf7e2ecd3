"""Elementary functions for kernels, free of branches and of calls, so that loops over them vectorise.

`FUNCTIONS["exp", "float32"]` is exp for a float32; each is a plain function of the scalar primitives.
Errors are below 2 units in the last place over the whole range, with the special values of C99.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hybridflow._src.kernels.vector_math import error_function as _error_function
from hybridflow._src.kernels.vector_math import exponential as _exponential
from hybridflow._src.kernels.vector_math import logarithm as _logarithm
from hybridflow._src.kernels.vector_math import power as _power
from hybridflow._src.kernels.vector_math import trigonometric as _trigonometric

FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    (name[: -len(suffix)], dtype): function
    for module in (_exponential, _logarithm, _power, _trigonometric, _error_function)
    for name, function in vars(module).items()
    for suffix, dtype in (("_f32", "float32"), ("_f64", "float64"))
    if name.endswith(suffix)
}
