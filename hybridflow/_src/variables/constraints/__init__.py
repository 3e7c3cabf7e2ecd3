"""Constraints. All are imported together: each can be asked for by name."""

from hybridflow._src.variables.constraints import (  # noqa: F401
    balls,
    combine,
    elementwise,
    isotonic,
    linear,
    matrices,
    norms,
)
