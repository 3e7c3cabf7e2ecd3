"""Ops whose results are summaries: `Summary` messages, serialized in string scalars."""
