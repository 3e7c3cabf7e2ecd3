"""How a program starts: flags are read, then its `main` runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

from hybridflow._src.platform.flags import FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run"]


def run(main: Callable[[list[str]], Any] | None = None, argv: list[str] | None = None) -> NoReturn:
    """Reads the flags, runs the program's main function, and exits with what it returns.

    Args:
      main: called with a list of the program's name and the arguments that are no flags; the
        function `main` of the `__main__` module by default.
      argv: the program's name and arguments; `sys.argv` by default.

    Raises:
      SystemExit: always, unless `main` raises something else.

    >>> import hybridflow as hf
    >>> try:
    ...     hf.app.run(lambda argv: print(argv) or 3, argv=["program", "file"])
    ... except SystemExit as end:
    ...     print(end.code)
    ['program', 'file']
    3
    """
    given = sys.argv if argv is None else argv
    rest = FLAGS._parse_flags(given[1:])
    if main is None:
        main = sys.modules["__main__"].main
    sys.exit(main([given[0], *rest]))
