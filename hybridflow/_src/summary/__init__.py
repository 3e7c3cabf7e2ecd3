"""Summaries: what programs tell of themselves, and the event files that TensorBoard reads."""
