"""Hooks: what is done beside the runs of a monitored session."""
