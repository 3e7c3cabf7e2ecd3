"""TensorFlow 1.4's public names, run eagerly or as a deferred graph, on NumPy and Numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hybridflow import _deferred

if TYPE_CHECKING:
    import types

with _deferred.imports_of(__name__):
    from hybridflow import (
        app,
        bitwise,
        compat,
        constraints,
        contrib,
        data,
        distributed,
        distributions,
        errors,
        flags,
        gfile,
        graph_util,
        image,
        initializers,
        keras,
        layers,
        linalg,
        logging,
        losses,
        metrics,
        nn,
        python_io,
        pywrap_tensorflow,
        saved_model,
        sets,
        spectral,
        summary,
        test,
        train,
        user_ops,
    )
    from hybridflow._src.autodiff.custom_gradient import custom_gradient
    from hybridflow._src.autodiff.eager_functions import (
        grad_pass_through,
        py_function,
        recompute_grad,
    )
    from hybridflow._src.autodiff.gradients import AggregationMethod, gradients
    from hybridflow._src.autodiff.hessians import hessians
    from hybridflow._src.autodiff.registered import (
        NoGradient,
        NotDifferentiable,
        RegisterGradient,
    )
    from hybridflow._src.autodiff.tape import GradientTape
    from hybridflow._src.autodiff.unconnected import UnconnectedGradients
    from hybridflow._src.formats.messages import (
        AttrValue,
        Event,
        GraphDef,
        HistogramProto,
        LogMessage,
        MetaGraphDef,
        NameAttrList,
        NodeDef,
        SessionLog,
        Summary,
        SummaryMetadata,
        TensorInfo,
    )
    from hybridflow._src.formats.tensors import make_ndarray, make_tensor_proto
    from hybridflow._src.framework.c_api import CXX11_ABI_FLAG, MONOLITHIC_BUILD
    from hybridflow._src.framework.context import (
        eager_mode,
        executing_eagerly,
        graph_mode,
        in_eager_mode,
        in_graph_mode,
    )
    from hybridflow._src.framework.convert import (
        convert_to_tensor,
        register_tensor_conversion_function,
    )
    from hybridflow._src.framework.default_graph import (
        enable_eager_execution,
        get_default_graph,
        reset_default_graph,
    )
    from hybridflow._src.framework.device import DeviceSpec
    from hybridflow._src.framework.dimension import Dimension
    from hybridflow._src.framework.dtypes import (
        QUANTIZED_DTYPES,
        DType,
        as_dtype,
        bfloat16,
        bool,
        complex64,
        complex128,
        double,
        float16,
        float32,
        float64,
        half,
        int8,
        int16,
        int32,
        int64,
        qint8,
        qint16,
        qint32,
        quint8,
        quint16,
        resource,
        string,
        uint8,
        uint16,
        uint32,
        uint64,
        variant,
    )
    from hybridflow._src.framework.eager_tensor import EagerTensor
    from hybridflow._src.framework.errors import OpError
    from hybridflow._src.framework.graph import Graph
    from hybridflow._src.framework.graph_keys import (
        GraphKeys,
        add_to_collection,
        add_to_collections,
        get_collection,
        get_collection_ref,
    )
    from hybridflow._src.framework.indexed_slices import (
        IndexedSlices,
        convert_to_tensor_or_indexed_slices,
    )
    from hybridflow._src.framework.libraries import load_file_system_library, load_op_library
    from hybridflow._src.framework.operation import Operation
    from hybridflow._src.framework.scopes import (
        colocate_with,
        container,
        control_dependencies,
        device,
        init_scope,
        name_scope,
    )
    from hybridflow._src.framework.scopes import scope_of_values as op_scope
    from hybridflow._src.framework.seeds import get_seed, set_random_seed
    from hybridflow._src.framework.sparse_tensor import (
        SparseTensor,
        SparseTensorValue,
        convert_to_tensor_or_sparse_tensor,
    )
    from hybridflow._src.framework.static_value import get_static_value
    from hybridflow._src.framework.tensor import Tensor
    from hybridflow._src.framework.tensor_shape import TensorShape
    from hybridflow._src.graphs.exporting import (
        GRAPH_DEF_VERSION,
        GRAPH_DEF_VERSION_MIN_CONSUMER,
        GRAPH_DEF_VERSION_MIN_PRODUCER,
    )
    from hybridflow._src.graphs.importing import import_graph_def
    from hybridflow._src.graphs.proto_functions import register_proto_function
    from hybridflow._src.ops.arrays.arranging import (
        invert_permutation,
        matrix_transpose,
        reverse,
        reverse_v2,
        tile,
        transpose,
    )
    from hybridflow._src.ops.arrays.batched import batch_gather
    from hybridflow._src.ops.arrays.broadcasting import broadcast_to
    from hybridflow._src.ops.arrays.casting import (
        bitcast,
        cast,
        saturate_cast,
        to_bfloat16,
        to_double,
        to_float,
        to_int32,
        to_int64,
    )
    from hybridflow._src.ops.arrays.constant import (
        constant,
        fill,
        ones,
        ones_like,
        zeros,
        zeros_like,
    )
    from hybridflow._src.ops.arrays.diagonal import (
        diag,
        diag_part,
        eye,
        matrix_band_part,
        matrix_diag,
        matrix_diag_part,
        matrix_set_diag,
    )
    from hybridflow._src.ops.arrays.differences import setdiff1d
    from hybridflow._src.ops.arrays.gather import gather, gather_nd, scatter_nd
    from hybridflow._src.ops.arrays.grids import meshgrid, sequence_mask
    from hybridflow._src.ops.arrays.indexing import newaxis
    from hybridflow._src.ops.arrays.joining import concat, parallel_stack, split, stack, unstack
    from hybridflow._src.ops.arrays.padding import pad
    from hybridflow._src.ops.arrays.partitioning import (
        dynamic_partition,
        dynamic_stitch,
        unique,
        unique_with_counts,
    )
    from hybridflow._src.ops.arrays.placeholder import placeholder, placeholder_with_default
    from hybridflow._src.ops.arrays.repeating import repeat
    from hybridflow._src.ops.arrays.reshaping import (
        expand_dims,
        guarantee_const,
        identity,
        identity_n,
        reshape,
        squeeze,
        stop_gradient,
    )
    from hybridflow._src.ops.arrays.reversing import reverse_sequence
    from hybridflow._src.ops.arrays.rolling import roll
    from hybridflow._src.ops.arrays.selecting import boolean_mask, where, where_v2
    from hybridflow._src.ops.arrays.sequences import lin_space, linspace, one_hot, range
    from hybridflow._src.ops.arrays.shape_ops import (
        broadcast_dynamic_shape,
        broadcast_static_shape,
        rank,
        shape,
        shape_n,
        size,
    )
    from hybridflow._src.ops.arrays.slicing import slice, strided_slice
    from hybridflow._src.ops.arrays.space_to_batch import (
        batch_to_space,
        batch_to_space_nd,
        required_space_to_batch_paddings,
        space_to_batch,
        space_to_batch_nd,
    )
    from hybridflow._src.ops.arrays.space_to_depth import depth_to_space, space_to_depth
    from hybridflow._src.ops.arrays.tensor_scatter import (
        tensor_scatter_add,
        tensor_scatter_sub,
        tensor_scatter_update,
    )
    from hybridflow._src.ops.arrays.unravelling import unravel_index
    from hybridflow._src.ops.checks.comparing import (
        assert_equal,
        assert_greater,
        assert_greater_equal,
        assert_less,
        assert_less_equal,
        assert_near,
        assert_negative,
        assert_non_negative,
        assert_non_positive,
        assert_none_equal,
        assert_positive,
    )
    from hybridflow._src.ops.checks.finite import (
        add_check_numerics_ops,
        check_numerics,
        verify_tensor_all_finite,
    )
    from hybridflow._src.ops.checks.monotone import is_non_decreasing, is_strictly_increasing
    from hybridflow._src.ops.checks.ranks import (
        assert_rank,
        assert_rank_at_least,
        assert_rank_in,
        assert_scalar,
    )
    from hybridflow._src.ops.checks.shapes import ensure_shape
    from hybridflow._src.ops.checks.types import (
        assert_integer,
        assert_proper_iterable,
        assert_same_float_dtype,
        assert_type,
        is_numeric_tensor,
    )
    from hybridflow._src.ops.control_flow.conditional import case, cond
    from hybridflow._src.ops.control_flow.debugging import Assert, Print
    from hybridflow._src.ops.control_flow.functional import foldl, foldr, map_fn, scan
    from hybridflow._src.ops.control_flow.loops import while_loop
    from hybridflow._src.ops.control_flow.ordering import group, no_op, tuple
    from hybridflow._src.ops.control_flow.printing import print
    from hybridflow._src.ops.control_flow.script_ops import numpy_function, py_func
    from hybridflow._src.ops.control_flow.switching import switch_case
    from hybridflow._src.ops.convolution.patches import extract_image_patches
    from hybridflow._src.ops.data_flow.accumulators import (
        ConditionalAccumulator,
        ConditionalAccumulatorBase,
        SparseConditionalAccumulator,
    )
    from hybridflow._src.ops.data_flow.queues import (
        FIFOQueue,
        PaddingFIFOQueue,
        PriorityQueue,
        QueueBase,
        RandomShuffleQueue,
    )
    from hybridflow._src.ops.data_flow.session_tensors import (
        delete_session_tensor,
        get_session_handle,
        get_session_tensor,
    )
    from hybridflow._src.ops.data_flow.tensor_array import TensorArray
    from hybridflow._src.ops.files.readers import (
        FixedLengthRecordReader,
        IdentityReader,
        LMDBReader,
        ReaderBase,
        TextLineReader,
        TFRecordReader,
        WholeFileReader,
    )
    from hybridflow._src.ops.files.whole import matching_files, read_file, write_file
    from hybridflow._src.ops.linalg.cholesky import cholesky, cholesky_solve
    from hybridflow._src.ops.linalg.contraction import einsum, tensordot
    from hybridflow._src.ops.linalg.cross import cross
    from hybridflow._src.ops.linalg.decompositions import (
        qr,
        self_adjoint_eig,
        self_adjoint_eigvals,
        svd,
    )
    from hybridflow._src.ops.linalg.determinants import matrix_determinant
    from hybridflow._src.ops.linalg.least_squares import matrix_solve_ls
    from hybridflow._src.ops.linalg.norms import (
        clip_by_average_norm,
        clip_by_global_norm,
        clip_by_norm,
        clip_by_value,
        global_norm,
        norm,
    )
    from hybridflow._src.ops.linalg.products import matmul, sparse_matmul, trace
    from hybridflow._src.ops.linalg.systems import (
        matrix_inverse,
        matrix_solve,
        matrix_triangular_solve,
    )
    from hybridflow._src.ops.math.arg_reductions import (
        arg_max,
        arg_min,
        argmax,
        argmin,
        count_nonzero,
        reduce_logsumexp,
    )
    from hybridflow._src.ops.math.bessel import bessel_i0, bessel_i0e, bessel_i1, bessel_i1e
    from hybridflow._src.ops.math.comparison import (
        equal,
        greater,
        greater_equal,
        is_finite,
        is_inf,
        is_nan,
        less,
        less_equal,
        logical_and,
        logical_not,
        logical_or,
        logical_xor,
        not_equal,
    )
    from hybridflow._src.ops.math.complex_numbers import angle, complex, conj, imag, real
    from hybridflow._src.ops.math.confusion import confusion_matrix
    from hybridflow._src.ops.math.cumulative import cumprod, cumsum
    from hybridflow._src.ops.math.division import (
        div,
        div_no_nan,
        divide,
        floor_div,
        floordiv,
        floormod,
        mod,
        realdiv,
        truediv,
        truncatediv,
        truncatemod,
    )
    from hybridflow._src.ops.math.elementwise import (
        abs,
        add,
        maximum,
        minimum,
        multiply,
        negative,
        reciprocal,
        sign,
        square,
        squared_difference,
        subtract,
    )
    from hybridflow._src.ops.math.exponential import (
        exp,
        expm1,
        log,
        log1p,
        pow,
        rsqrt,
        sigmoid,
        sqrt,
    )
    from hybridflow._src.ops.math.histogram import histogram_fixed_width, histogram_fixed_width_bins
    from hybridflow._src.ops.math.incomplete import betainc, igamma, igammac
    from hybridflow._src.ops.math.polynomials import polyval
    from hybridflow._src.ops.math.quantizing import dequantize, quantize, quantize_v2
    from hybridflow._src.ops.math.ranking import bincount
    from hybridflow._src.ops.math.reductions import (
        reduce_all,
        reduce_any,
        reduce_max,
        reduce_mean,
        reduce_min,
        reduce_prod,
        reduce_sum,
    )
    from hybridflow._src.ops.math.rounding import ceil, floor, nextafter, rint, round
    from hybridflow._src.ops.math.searching import searchsorted
    from hybridflow._src.ops.math.segments import (
        segment_max,
        segment_mean,
        segment_min,
        segment_prod,
        segment_sum,
        unsorted_segment_max,
        unsorted_segment_mean,
        unsorted_segment_min,
        unsorted_segment_prod,
        unsorted_segment_sqrt_n,
        unsorted_segment_sum,
    )
    from hybridflow._src.ops.math.sorting import argsort, sort
    from hybridflow._src.ops.math.special import digamma, erf, erfc, lbeta, lgamma, polygamma, zeta
    from hybridflow._src.ops.math.spread import (
        reduce_euclidean_norm,
        reduce_std,
        reduce_variance,
    )
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
    from hybridflow._src.ops.math.zero_products import multiply_no_nan, xdivy, xlogy
    from hybridflow._src.ops.nn.activations import log_sigmoid
    from hybridflow._src.ops.nn.fake_quantization import (
        fake_quant_with_min_max_args,
        fake_quant_with_min_max_args_gradient,
        fake_quant_with_min_max_vars,
        fake_quant_with_min_max_vars_gradient,
        fake_quant_with_min_max_vars_per_channel,
        fake_quant_with_min_max_vars_per_channel_gradient,
    )
    from hybridflow._src.ops.parsing.csv import decode_csv
    from hybridflow._src.ops.parsing.examples import (
        parse_example,
        parse_single_example,
        parse_single_sequence_example,
    )
    from hybridflow._src.ops.parsing.features import (
        FixedLenFeature,
        FixedLenSequenceFeature,
        SparseFeature,
        VarLenFeature,
    )
    from hybridflow._src.ops.parsing.raw import (
        decode_json_example,
        decode_raw,
        parse_tensor,
        serialize_tensor,
    )
    from hybridflow._src.ops.random.cropping import random_crop
    from hybridflow._src.ops.random.parametric import random_gamma, random_poisson
    from hybridflow._src.ops.random.sampling import (
        multinomial,
        random_normal,
        random_shuffle,
        random_uniform,
        truncated_normal,
    )
    from hybridflow._src.ops.sparse.adding import sparse_add
    from hybridflow._src.ops.sparse.densifying import (
        sparse_tensor_to_dense,
        sparse_to_dense,
    )
    from hybridflow._src.ops.sparse.edit_distances import edit_distance
    from hybridflow._src.ops.sparse.extremes import (
        sparse_maximum,
        sparse_minimum,
    )
    from hybridflow._src.ops.sparse.joining import (
        sparse_concat,
        sparse_slice,
        sparse_split,
    )
    from hybridflow._src.ops.sparse.merging import (
        sparse_mask,
        sparse_merge,
        sparse_to_indicator,
    )
    from hybridflow._src.ops.sparse.ordering import (
        sparse_reorder,
        sparse_transpose,
    )
    from hybridflow._src.ops.sparse.placeholders import sparse_placeholder
    from hybridflow._src.ops.sparse.products import sparse_tensor_dense_matmul
    from hybridflow._src.ops.sparse.reducing import (
        sparse_reduce_max,
        sparse_reduce_max_sparse,
        sparse_reduce_sum,
        sparse_reduce_sum_sparse,
    )
    from hybridflow._src.ops.sparse.reshaping import (
        sparse_reset_shape,
        sparse_reshape,
    )
    from hybridflow._src.ops.sparse.rows import (
        sparse_fill_empty_rows,
        sparse_retain,
    )
    from hybridflow._src.ops.sparse.segments import (
        sparse_segment_mean,
        sparse_segment_sqrt_n,
        sparse_segment_sum,
    )
    from hybridflow._src.ops.sparse.serializing import (
        deserialize_many_sparse,
        deserialize_sparse,
        serialize_many_sparse,
        serialize_sparse,
    )
    from hybridflow._src.ops.sparse.softmax import sparse_softmax
    from hybridflow._src.ops.spectral.fourier import fft, fft2d, fft3d, ifft, ifft2d, ifft3d
    from hybridflow._src.ops.strings.casing import (
        string_length,
        string_lower,
        string_strip,
        string_upper,
    )
    from hybridflow._src.ops.strings.hashing import (
        string_to_hash_bucket,
        string_to_hash_bucket_fast,
        string_to_hash_bucket_strong,
    )
    from hybridflow._src.ops.strings.joining import string_join
    from hybridflow._src.ops.strings.numbers import as_string, string_to_number
    from hybridflow._src.ops.strings.reducing import reduce_join
    from hybridflow._src.ops.strings.replacing import decode_base64, encode_base64, regex_replace
    from hybridflow._src.ops.strings.splitting import string_split, substr
    from hybridflow._src.runtime.config import (
        ConfigProto,
        GPUOptions,
        GraphOptions,
        OptimizerOptions,
        RunMetadata,
        RunOptions,
    )
    from hybridflow._src.runtime.explain import explain
    from hybridflow._src.runtime.fetches import IndexedSlicesValue
    from hybridflow._src.runtime.function import TensorSpec, function
    from hybridflow._src.runtime.session import InteractiveSession, Session, get_default_session
    from hybridflow._src.variables.creating import variable_creator_scope
    from hybridflow._src.variables.eager_store import EagerVariableStore
    from hybridflow._src.variables.getting import (
        create_partitioned_variables,
        get_local_variable,
        get_variable,
    )
    from hybridflow._src.variables.initialization import (
        all_variables,
        assert_variables_initialized,
        global_variables,
        global_variables_initializer,
        initialize_all_tables,
        initialize_all_variables,
        initialize_local_variables,
        initialize_variables,
        local_variables,
        local_variables_initializer,
        model_variables,
        moving_average_variables,
        report_uninitialized_variables,
        tables_initializer,
        trainable_variables,
        variables_initializer,
    )
    from hybridflow._src.variables.initializers import Constant as constant_initializer
    from hybridflow._src.variables.initializers import Identity as identity_initializer
    from hybridflow._src.variables.initializers import Ones as ones_initializer
    from hybridflow._src.variables.initializers import Orthogonal as orthogonal_initializer
    from hybridflow._src.variables.initializers import RandomNormal as random_normal_initializer
    from hybridflow._src.variables.initializers import RandomUniform as random_uniform_initializer
    from hybridflow._src.variables.initializers import (
        TruncatedNormal as truncated_normal_initializer,
    )
    from hybridflow._src.variables.initializers import Zeros as zeros_initializer
    from hybridflow._src.variables.module import Module
    from hybridflow._src.variables.partitioned import PartitionedVariable
    from hybridflow._src.variables.partitioners import (
        fixed_size_partitioner,
        min_max_variable_partitioner,
        variable_axis_size_partitioner,
    )
    from hybridflow._src.variables.regularizers import (
        apply_regularization,
        l1_l2_regularizer,
        l1_regularizer,
        l2_regularizer,
        sum_regularizer,
    )
    from hybridflow._src.variables.replication import (
        VariableAggregation,
        VariableSynchronization,
        disable_resource_variables,
        enable_resource_variables,
        resource_variables_enabled,
    )
    from hybridflow._src.variables.resource_variable import ResourceVariable
    from hybridflow._src.variables.scaling_initializers import (
        UniformUnitScaling as uniform_unit_scaling_initializer,
    )
    from hybridflow._src.variables.scaling_initializers import (
        VarianceScaling as variance_scaling_initializer,
    )
    from hybridflow._src.variables.scaling_initializers import (
        glorot_normal_initializer,
        glorot_uniform_initializer,
    )
    from hybridflow._src.variables.scope import AUTO_REUSE, variable_op_scope, variable_scope
    from hybridflow._src.variables.scope_state import (
        VariableScope,
        get_variable_scope,
        no_regularizer,
    )
    from hybridflow._src.variables.template import make_template
    from hybridflow._src.variables.tensors import is_tensor
    from hybridflow._src.variables.tree import variables
    from hybridflow._src.variables.updates import (
        assign,
        assign_add,
        assign_sub,
        count_up_to,
        is_variable_initialized,
        scatter_add,
        scatter_div,
        scatter_mul,
        scatter_nd_add,
        scatter_nd_sub,
        scatter_nd_update,
        scatter_sub,
        scatter_update,
    )
    from hybridflow._src.variables.variable import Variable


__version__ = "0.1.0"

__all__ = [
    "CXX11_ABI_FLAG",
    "MONOLITHIC_BUILD",
    "pywrap_tensorflow",
    "user_ops",
    "QUANTIZED_DTYPES",
    "bfloat16",
    "qint8",
    "qint16",
    "qint32",
    "quint8",
    "quint16",
    "quantize",
    "quantize_v2",
    "dequantize",
    "to_bfloat16",
    "AUTO_REUSE",
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "GRAPH_DEF_VERSION",
    "GRAPH_DEF_VERSION_MIN_CONSUMER",
    "GRAPH_DEF_VERSION_MIN_PRODUCER",
    "SparseFeature",
    "VarLenFeature",
    "add_check_numerics_ops",
    "check_numerics",
    "cholesky",
    "cholesky_solve",
    "compat",
    "cross",
    "decode_base64",
    "decode_csv",
    "decode_json_example",
    "decode_raw",
    "distributed",
    "distributions",
    "fft",
    "fft2d",
    "fft3d",
    "hessians",
    "histogram_fixed_width",
    "ifft",
    "ifft2d",
    "ifft3d",
    "matrix_determinant",
    "matrix_inverse",
    "matrix_solve",
    "matrix_solve_ls",
    "matrix_triangular_solve",
    "parse_example",
    "parse_single_example",
    "parse_single_sequence_example",
    "parse_tensor",
    "random_crop",
    "regex_replace",
    "saved_model",
    "register_proto_function",
    "NoGradient",
    "NotDifferentiable",
    "RegisterGradient",
    "AggregationMethod",
    "Assert",
    "AttrValue",
    "ConditionalAccumulator",
    "ConditionalAccumulatorBase",
    "ConfigProto",
    "DType",
    "DeviceSpec",
    "Dimension",
    "EagerTensor",
    "EagerVariableStore",
    "Event",
    "FIFOQueue",
    "FixedLengthRecordReader",
    "GPUOptions",
    "GradientTape",
    "Graph",
    "GraphDef",
    "GraphKeys",
    "GraphOptions",
    "HistogramProto",
    "IdentityReader",
    "LMDBReader",
    "IndexedSlices",
    "IndexedSlicesValue",
    "InteractiveSession",
    "LogMessage",
    "MetaGraphDef",
    "Module",
    "NameAttrList",
    "NodeDef",
    "OpError",
    "Operation",
    "OptimizerOptions",
    "PaddingFIFOQueue",
    "PartitionedVariable",
    "Print",
    "PriorityQueue",
    "QueueBase",
    "RandomShuffleQueue",
    "ReaderBase",
    "ResourceVariable",
    "RunMetadata",
    "RunOptions",
    "Session",
    "SessionLog",
    "SparseConditionalAccumulator",
    "SparseTensor",
    "SparseTensorValue",
    "Summary",
    "SummaryMetadata",
    "TFRecordReader",
    "Tensor",
    "TensorArray",
    "TensorInfo",
    "TensorShape",
    "TensorSpec",
    "TextLineReader",
    "Variable",
    "VariableScope",
    "WholeFileReader",
    "__version__",
    "abs",
    "accumulate_n",
    "acos",
    "acosh",
    "add",
    "add_n",
    "add_to_collection",
    "add_to_collections",
    "all_variables",
    "angle",
    "app",
    "apply_regularization",
    "arg_max",
    "arg_min",
    "argmax",
    "argmin",
    "as_dtype",
    "as_string",
    "as_tensorflow",
    "asin",
    "asinh",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_type",
    "assert_variables_initialized",
    "assign",
    "assign_add",
    "assign_sub",
    "atan",
    "atan2",
    "atanh",
    "batch_to_space",
    "batch_to_space_nd",
    "betainc",
    "bincount",
    "bitcast",
    "bitwise",
    "bool",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "ceil",
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "colocate_with",
    "complex",
    "complex128",
    "complex64",
    "concat",
    "cond",
    "confusion_matrix",
    "conj",
    "constant",
    "constant_initializer",
    "constraints",
    "container",
    "contrib",
    "control_dependencies",
    "convert_to_tensor",
    "convert_to_tensor_or_indexed_slices",
    "convert_to_tensor_or_sparse_tensor",
    "cos",
    "cosh",
    "count_nonzero",
    "count_up_to",
    "create_partitioned_variables",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "data",
    "depth_to_space",
    "delete_session_tensor",
    "deserialize_many_sparse",
    "deserialize_sparse",
    "device",
    "diag",
    "diag_part",
    "digamma",
    "div",
    "divide",
    "double",
    "dynamic_partition",
    "dynamic_stitch",
    "eager_mode",
    "edit_distance",
    "einsum",
    "enable_eager_execution",
    "encode_base64",
    "equal",
    "erf",
    "erfc",
    "errors",
    "executing_eagerly",
    "exp",
    "expand_dims",
    "explain",
    "expm1",
    "extract_image_patches",
    "eye",
    "fake_quant_with_min_max_args",
    "fake_quant_with_min_max_args_gradient",
    "fake_quant_with_min_max_vars",
    "fake_quant_with_min_max_vars_gradient",
    "fake_quant_with_min_max_vars_per_channel",
    "fake_quant_with_min_max_vars_per_channel_gradient",
    "fill",
    "fixed_size_partitioner",
    "flags",
    "float16",
    "float32",
    "float64",
    "floor",
    "floor_div",
    "floordiv",
    "floormod",
    "foldl",
    "foldr",
    "function",
    "gather",
    "gather_nd",
    "get_collection",
    "get_collection_ref",
    "get_default_graph",
    "get_default_session",
    "get_local_variable",
    "get_seed",
    "get_session_handle",
    "get_session_tensor",
    "get_variable",
    "get_variable_scope",
    "gfile",
    "global_norm",
    "global_variables",
    "global_variables_initializer",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "gradients",
    "graph_mode",
    "graph_util",
    "greater",
    "greater_equal",
    "group",
    "guarantee_const",
    "half",
    "identity",
    "identity_initializer",
    "identity_n",
    "imag",
    "image",
    "igamma",
    "igammac",
    "import_graph_def",
    "in_eager_mode",
    "in_graph_mode",
    "init_scope",
    "initialize_all_tables",
    "initialize_all_variables",
    "initialize_local_variables",
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "histogram_fixed_width_bins",
    "initialize_variables",
    "initializers",
    "int16",
    "int32",
    "int64",
    "int8",
    "invert_permutation",
    "is_finite",
    "is_inf",
    "is_nan",
    "is_non_decreasing",
    "is_numeric_tensor",
    "is_strictly_increasing",
    "is_variable_initialized",
    "keras",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "layers",
    "lbeta",
    "less",
    "less_equal",
    "lgamma",
    "lin_space",
    "linalg",
    "linspace",
    "load_file_system_library",
    "load_op_library",
    "local_variables",
    "local_variables_initializer",
    "log",
    "log1p",
    "log_sigmoid",
    "logging",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "losses",
    "make_ndarray",
    "make_template",
    "make_tensor_proto",
    "map_fn",
    "matching_files",
    "matmul",
    "matrix_band_part",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_set_diag",
    "matrix_transpose",
    "maximum",
    "meshgrid",
    "metrics",
    "min_max_variable_partitioner",
    "minimum",
    "mod",
    "model_variables",
    "moving_average_variables",
    "multinomial",
    "multiply",
    "multiply_no_nan",
    "name_scope",
    "negative",
    "newaxis",
    "nextafter",
    "nn",
    "no_op",
    "no_regularizer",
    "norm",
    "not_equal",
    "one_hot",
    "ones",
    "ones_initializer",
    "ones_like",
    "op_scope",
    "orthogonal_initializer",
    "pad",
    "parallel_stack",
    "placeholder",
    "placeholder_with_default",
    "polygamma",
    "polyval",
    "pow",
    "py_func",
    "python_io",
    "qr",
    "random_gamma",
    "random_normal",
    "random_normal_initializer",
    "random_poisson",
    "random_shuffle",
    "random_uniform",
    "random_uniform_initializer",
    "range",
    "rank",
    "read_file",
    "real",
    "realdiv",
    "reciprocal",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_join",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "register_tensor_conversion_function",
    "report_uninitialized_variables",
    "required_space_to_batch_paddings",
    "reset_default_graph",
    "reshape",
    "resource",
    "reverse",
    "reverse_sequence",
    "reverse_v2",
    "rint",
    "round",
    "rsqrt",
    "saturate_cast",
    "scalar_mul",
    "scan",
    "scatter_add",
    "scatter_div",
    "scatter_mul",
    "scatter_nd",
    "scatter_nd_add",
    "scatter_nd_sub",
    "scatter_nd_update",
    "scatter_sub",
    "scatter_update",
    "searchsorted",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "self_adjoint_eig",
    "self_adjoint_eigvals",
    "sequence_mask",
    "serialize_many_sparse",
    "serialize_sparse",
    "serialize_tensor",
    "set_random_seed",
    "setdiff1d",
    "sets",
    "shape",
    "shape_n",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size",
    "slice",
    "space_to_batch",
    "space_to_batch_nd",
    "space_to_depth",
    "sparse_add",
    "sparse_concat",
    "sparse_fill_empty_rows",
    "sparse_mask",
    "sparse_matmul",
    "sparse_maximum",
    "sparse_merge",
    "sparse_minimum",
    "sparse_placeholder",
    "sparse_reduce_max",
    "sparse_reduce_max_sparse",
    "sparse_reduce_sum",
    "sparse_reduce_sum_sparse",
    "sparse_reorder",
    "sparse_reset_shape",
    "sparse_reshape",
    "sparse_retain",
    "sparse_segment_mean",
    "sparse_segment_sqrt_n",
    "sparse_segment_sum",
    "sparse_slice",
    "sparse_softmax",
    "sparse_split",
    "sparse_tensor_dense_matmul",
    "sparse_tensor_to_dense",
    "sparse_to_dense",
    "sparse_to_indicator",
    "sparse_transpose",
    "spectral",
    "split",
    "sqrt",
    "square",
    "squared_difference",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "string",
    "string_join",
    "string_split",
    "string_to_hash_bucket",
    "string_to_hash_bucket_fast",
    "string_to_hash_bucket_strong",
    "string_to_number",
    "substr",
    "subtract",
    "sum_regularizer",
    "summary",
    "svd",
    "switch_case",
    "tables_initializer",
    "tan",
    "tanh",
    "tensor_scatter_add",
    "tensor_scatter_sub",
    "tensor_scatter_update",
    "tensordot",
    "test",
    "tile",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
    "trace",
    "train",
    "trainable_variables",
    "transpose",
    "truediv",
    "truncated_normal",
    "truncated_normal_initializer",
    "truncatediv",
    "truncatemod",
    "tuple",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "UnconnectedGradients",
    "uniform_unit_scaling_initializer",
    "unique",
    "unique_with_counts",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
    "unstack",
    "variable_axis_size_partitioner",
    "variable_creator_scope",
    "variable_op_scope",
    "variable_scope",
    "VariableAggregation",
    "VariableSynchronization",
    "variables",
    "grad_pass_through",
    "numpy_function",
    "py_function",
    "recompute_grad",
    "repeat",
    "string_length",
    "string_lower",
    "string_strip",
    "string_upper",
    "unravel_index",
    "where_v2",
    "argsort",
    "batch_gather",
    "disable_resource_variables",
    "div_no_nan",
    "enable_resource_variables",
    "ensure_shape",
    "get_static_value",
    "is_tensor",
    "print",
    "resource_variables_enabled",
    "roll",
    "sort",
    "variables_initializer",
    "variance_scaling_initializer",
    "variant",
    "verify_tensor_all_finite",
    "where",
    "while_loop",
    "xdivy",
    "xlogy",
    "write_file",
    "zeros",
    "zeros_initializer",
    "zeros_like",
    "zeta",
]


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext hybridflow`: a notebook gets eager mode, `%%graph` and completion."""
    _deferred.imported("hybridflow._src.cli.ipython").load_ipython_extension(shell)


def as_tensorflow() -> types.ModuleType:
    r"""From now on `import tensorflow` gives hybridflow in this process.

    So do `tensorflow.compat.v1` and the paths inside TensorFlow that programs import, in the
    processes too that this one starts by `multiprocessing`. For notebooks, prompts and test
    suites; a whole program runs so by `hybridflow run`. To call it again does nothing.

    `tensorflow.__version__` is "1.15.0", whose spellings are there beside 1.4's, and "2.15.0" under
    `tensorflow.compat.v1`, which libraries import where they find TensorFlow 2. The environment
    variable `HYBRIDFLOW_TF_VERSION` sets another.

    Returns: the module `tensorflow`.

    Raises:
      RuntimeError: if the real TensorFlow is imported already; nothing changes then.

    >>> import subprocess, sys
    >>> program = (
    ...     "import hybridflow; hybridflow.as_tensorflow();"
    ...     "import tensorflow as tf; print(tf.__version__, tf.add is hybridflow.add)"
    ... )
    >>> subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    '1.15.0 True\n'
    """
    process = _deferred.imported("hybridflow._src.cli.shim.process")
    tensorflow: types.ModuleType = process.as_tensorflow()
    return tensorflow
