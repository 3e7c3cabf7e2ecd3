"""Ops on files: whole ones, and readers of records."""
