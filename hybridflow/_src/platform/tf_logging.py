"""Messages of a program, by Python's own `logging`.

The logger is called "tensorflow": programs written against TensorFlow set it up by that name.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import Any

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

DEBUG = logging.DEBUG
INFO = logging.INFO
WARN = logging.WARNING
ERROR = logging.ERROR
FATAL = logging.CRITICAL

_logger = logging.getLogger("tensorflow")
if _logger.level == logging.NOTSET:
    _logger.setLevel(WARN)
# Where the program has set up logging of its own, messages go there and nowhere else.
if not logging.getLogger().handlers and not _logger.handlers:
    _handler = logging.StreamHandler(sys.stderr)
    _handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
    _logger.addHandler(_handler)
    _logger.propagate = False

debug = _logger.debug
info = _logger.info
warning = warn = _logger.warning
error = _logger.error
fatal = _logger.critical
log = vlog = _logger.log

# How often each `log_every_n` and `log_first_n` of the program was reached, by file and line.
_counts: Counter[tuple[str, int]] = Counter()


def set_verbosity(v: int) -> None:
    """Sets the lowest level that is shown: `DEBUG`, `INFO`, `WARN` (the default), `ERROR`, `FATAL`.

    >>> import hybridflow as hf
    >>> before = hf.logging.get_verbosity()
    >>> hf.logging.set_verbosity(hf.logging.ERROR)
    >>> hf.logging.get_verbosity() == hf.logging.ERROR
    True
    >>> hf.logging.set_verbosity(before)
    """
    _logger.setLevel(v)


def get_verbosity() -> int:
    """The lowest level that is shown."""
    return _logger.getEffectiveLevel()


def flush() -> None:
    """Writes out what is held back."""
    for handler in _logger.handlers:
        handler.flush()


def TaskLevelStatusMessage(msg: str) -> None:
    """Logs an error."""
    _logger.error(msg)


def _reached() -> int:
    """How often the line that called the caller was here before."""
    frame = sys._getframe(2)
    place = frame.f_code.co_filename, frame.f_lineno
    before = _counts[place]
    _counts[place] += 1
    return before


def log_every_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Logs at the first of every `n` times that the calling line is reached."""
    log_if(level, msg, not _reached() % n, *args)


def log_first_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Logs the first `n` times that the calling line is reached."""
    log_if(level, msg, _reached() < n, *args)


def log_if(level: int, msg: str, condition: Any, *args: Any) -> None:
    """Logs if `condition` is true."""
    if condition:
        _logger.log(level, msg, *args)
