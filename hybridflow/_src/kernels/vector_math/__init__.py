"""Elementary functions for kernels, without branches and calls, so that loops over them vectorise.

`FUNCTIONS` has them by name and dtype. Each is a function of scalars made of operators and of the
primitives of `kernels.scalar`; like those it also takes arrays, and values that are compiled. They
are within 2 units in the last place over the whole range, subnormal numbers included, and have the
special values of C99, annex F. NumPy warns of what it sees on the way, such as infinities.

>>> import numpy as np
>>> from hybridflow._src.kernels.vector_math import FUNCTIONS
>>> exp = FUNCTIONS["exp", "float32"]
>>> exp.__name__, exp(np.float32([0.0, 1.0]))
('exp_f32', array([1.       , 2.7182817], dtype=float32))
"""

from __future__ import annotations

from hybridflow._src.kernels.scalar import Meaning
from hybridflow._src.kernels.vector_math import (
    error_function,
    exponential,
    logarithm,
    power,
    trigonometric,
)

FUNCTIONS: dict[tuple[str, str], Meaning] = {
    (name.removesuffix(suffix), dtype): function
    for module in (exponential, logarithm, power, trigonometric, error_function)
    for name, function in vars(module).items()
    for suffix, dtype in (("_f32", "float32"), ("_f64", "float64"))
    if name.endswith(suffix)
}
