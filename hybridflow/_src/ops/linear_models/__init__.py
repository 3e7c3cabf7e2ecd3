"""Ops that train linear models by stochastic dual coordinate ascent."""
