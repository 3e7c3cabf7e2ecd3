"""The mode that each program of the page of errors is for, as a caption above it."""

from __future__ import annotations

import re

_CAPTIONS = {"both": "in either mode", "eager": "in eager mode", "graph": "in graph mode"}
_PROGRAM = re.compile(r"^```python (\w+)$", re.M)


def captioned(text: str) -> str:
    r"""A page in Markdown, where each program stands under its mode.

    >>> print(captioned("```python graph\nsession.run(y)\n```"))
    ```{code-block} python
    :caption: in graph mode
    <BLANKLINE>
    session.run(y)
    ```
    """
    return _PROGRAM.sub(lambda found: _head(_CAPTIONS[found[1]]), text)


def _head(caption: str) -> str:
    return f"```{{code-block}} python\n:caption: {caption}\n"
