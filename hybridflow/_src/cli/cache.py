"""`hybridflow cache`: the folder of compiled kernels."""

from __future__ import annotations

import os
import sys

from hybridflow._src.kernels import cache


def info() -> int:
    """Prints where it is, and what is in it; gives the exit status."""
    problem = cache.problem()
    sizes = [os.path.getsize(path) for path in cache.entries()]
    print(f"folder:  {cache.folder() or 'none'}")
    # One that does not exist yet is made when the first kernel is compiled.
    if problem and os.path.lexists(cache.folder()):
        print(f"not used: {problem}")
    print(f"kernels: {len(sizes)}")
    print(f"size:    {sum(sizes) / 1e6:.1f} MB")
    return 0


def clear() -> int:
    """Removes all kernels; gives the exit status."""
    folder = cache.folder()
    if os.path.lexists(folder) and cache.problem():
        print(f"hybridflow: {folder} is not used: {cache.problem()}", file=sys.stderr)
        return 1
    try:
        count = cache.clear()
    except OSError as error:
        print(f"hybridflow: {error}", file=sys.stderr)
        return 1
    print(f"removed {count} kernel{'' if count == 1 else 's'}")
    return 0
