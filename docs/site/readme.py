"""What the README shows of the site's tables. To write it anew: python docs/site/readme.py"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import performance
import tf1_names

README = Path(__file__).parents[2] / "README.md"
PARTS: dict[str, Callable[[], str]] = {
    "names": tf1_names.overview,
    "headlines": performance.headlines,
}


def current(text: str) -> str:
    """The README with its tables as they are now; each stands between two comments."""
    for name, part in PARTS.items():
        before, begin, rest = text.partition(f"<!-- {name}: docs/site/readme.py writes this -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->\n")
        if not end:
            raise ValueError(f"README.md has no place for {name!r}.")
        text = f"{before}{begin}\n{part()}\n{end}{after}"
    return text


if __name__ == "__main__":
    README.write_text(current(README.read_text("utf-8")), "utf-8")
