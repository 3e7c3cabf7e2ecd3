"""The lowest layer: dtypes, shapes, errors, graphs, eager tensors, op records, dispatch.

Everything imports from here, so the garbage collector is paused from here on until the package is
imported.
"""

from hybridflow._src.framework import collector as collector
