"""Unit tests of programs that compute with tensors."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.testing.benchmark import Benchmark
    from hybridflow._src.testing.case import TestCase
    from hybridflow._src.testing.gradient_checker import compute_gradient, compute_gradient_error
    from hybridflow._src.testing.graph_difference import assert_equal_graph_def
    from hybridflow._src.testing.places import (
        get_temp_dir,
        gpu_device_name,
        is_built_with_cuda,
        is_gpu_available,
        test_src_dir_path,
    )
    from hybridflow._src.testing.running import create_local_cluster, main
    from hybridflow._src.testing.stubs import StubOutForTesting, mock

__all__ = [
    "Benchmark",
    "StubOutForTesting",
    "TestCase",
    "assert_equal_graph_def",
    "compute_gradient",
    "compute_gradient_error",
    "create_local_cluster",
    "get_temp_dir",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_gpu_available",
    "main",
    "mock",
    "test_src_dir_path",
]
