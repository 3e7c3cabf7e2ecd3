"""Public names of `hybridflow` that many programs do not use, imported together when one is used.

It keeps `import hybridflow` quick. The names are listed here and nowhere else.
"""

from __future__ import annotations

from hybridflow._src.autodiff.custom_gradient import custom_gradient
from hybridflow._src.ops.arrays.grids import meshgrid, sequence_mask
from hybridflow._src.ops.arrays.padding import pad
from hybridflow._src.ops.arrays.partitioning import (
    dynamic_partition,
    dynamic_stitch,
    unique,
    unique_with_counts,
)
from hybridflow._src.ops.arrays.sequences import lin_space, linspace, one_hot, range
from hybridflow._src.ops.control_flow.debugging import Assert, Print
from hybridflow._src.ops.control_flow.functional import foldl, foldr, map_fn, scan
from hybridflow._src.ops.control_flow.script_ops import py_func
from hybridflow._src.ops.linalg.contraction import einsum, tensordot
from hybridflow._src.ops.linalg.decompositions import (
    qr,
    self_adjoint_eig,
    self_adjoint_eigvals,
    svd,
)
from hybridflow._src.ops.linalg.norms import (
    clip_by_average_norm,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    global_norm,
    norm,
)
from hybridflow._src.ops.math.arg_reductions import (
    arg_max,
    arg_min,
    argmax,
    argmin,
    count_nonzero,
    reduce_logsumexp,
)
from hybridflow._src.ops.math.complex_numbers import angle, complex, conj, imag, real
from hybridflow._src.ops.math.cumulative import cumprod, cumsum
from hybridflow._src.ops.math.ranking import bincount
from hybridflow._src.ops.math.rounding import ceil, floor, rint, round
from hybridflow._src.ops.math.segments import (
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
    unsorted_segment_max,
    unsorted_segment_sum,
)
from hybridflow._src.ops.math.special import digamma, erf, erfc, lbeta, lgamma, polygamma, zeta
from hybridflow._src.ops.math.summing import accumulate_n, add_n, scalar_mul
from hybridflow._src.ops.math.trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    sin,
    sinh,
    tan,
    tanh,
)
from hybridflow._src.ops.nn.activations import log_sigmoid
from hybridflow._src.runtime.config import (
    ConfigProto,
    GPUOptions,
    GraphOptions,
    OptimizerOptions,
    RunMetadata,
    RunOptions,
)
from hybridflow._src.runtime.explain import explain
from hybridflow._src.runtime.function import TensorSpec, function
from hybridflow._src.variables.regularizers import (
    apply_regularization,
    l1_l2_regularizer,
    l1_regularizer,
    l2_regularizer,
    sum_regularizer,
)
from hybridflow._src.variables.template import make_template
from hybridflow._src.variables.tree import variables

__all__ = [
    "Assert",
    "ConfigProto",
    "GPUOptions",
    "GraphOptions",
    "OptimizerOptions",
    "Print",
    "RunMetadata",
    "RunOptions",
    "TensorSpec",
    "accumulate_n",
    "acos",
    "acosh",
    "add_n",
    "angle",
    "apply_regularization",
    "arg_max",
    "arg_min",
    "argmax",
    "argmin",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bincount",
    "ceil",
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "complex",
    "conj",
    "cos",
    "cosh",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "digamma",
    "dynamic_partition",
    "dynamic_stitch",
    "einsum",
    "erf",
    "erfc",
    "explain",
    "floor",
    "foldl",
    "foldr",
    "function",
    "global_norm",
    "imag",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "lbeta",
    "lgamma",
    "lin_space",
    "linspace",
    "log_sigmoid",
    "make_template",
    "map_fn",
    "meshgrid",
    "norm",
    "one_hot",
    "pad",
    "polygamma",
    "py_func",
    "qr",
    "range",
    "real",
    "reduce_logsumexp",
    "rint",
    "round",
    "scalar_mul",
    "scan",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "self_adjoint_eig",
    "self_adjoint_eigvals",
    "sequence_mask",
    "sin",
    "sinh",
    "sum_regularizer",
    "svd",
    "tan",
    "tanh",
    "tensordot",
    "unique",
    "unique_with_counts",
    "unsorted_segment_max",
    "unsorted_segment_sum",
    "variables",
    "zeta",
]
