"""`tf.contrib.eager`: tests that run in both modes."""

from __future__ import annotations

from hybridflow._src.cli.shim.inner.test_util import (
    run_all_in_graph_and_eager_modes as run_all_tests_in_graph_and_eager_modes,
)
from hybridflow._src.cli.shim.inner.test_util import (
    run_in_graph_and_eager_modes as run_test_in_graph_and_eager_modes,
)

__all__ = ["run_all_tests_in_graph_and_eager_modes", "run_test_in_graph_and_eager_modes"]
