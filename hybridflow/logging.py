"""Messages of a program."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.platform.tf_logging import (
        DEBUG,
        ERROR,
        FATAL,
        INFO,
        WARN,
        TaskLevelStatusMessage,
        debug,
        error,
        fatal,
        flush,
        get_verbosity,
        info,
        log,
        log_every_n,
        log_first_n,
        log_if,
        set_verbosity,
        vlog,
        warn,
        warning,
    )

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "TaskLevelStatusMessage",
    "debug",
    "error",
    "fatal",
    "flush",
    "get_verbosity",
    "info",
    "log",
    "log_every_n",
    "log_first_n",
    "log_if",
    "set_verbosity",
    "vlog",
    "warn",
    "warning",
]
