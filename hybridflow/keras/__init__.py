"""Keras' names."""

from __future__ import annotations

from hybridflow.keras import constraints

__all__ = ["constraints"]
