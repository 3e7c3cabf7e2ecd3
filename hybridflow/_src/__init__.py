"""The implementation. See CONTRIBUTING.md for its layers.

With any part of it come those parts that others reach without importing them: the operators of
tensors, and the gradients by which control flow differentiates its bodies.
"""

from hybridflow._src.autodiff import gradients as _gradients  # noqa: F401 - sets `late.gradients`
from hybridflow._src.framework import collector as _collector
from hybridflow._src.ops import operators as _operators  # noqa: F401 - gives tensors theirs

_collector.resume()
