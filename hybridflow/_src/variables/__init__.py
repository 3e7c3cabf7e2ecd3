"""Variables: all kinds of them are known wherever one is."""

from hybridflow._src.variables import eager_variable as _eager_variable  # noqa: F401
