"""`hf.explain`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybridflow._src.runtime.report import Explanation

__all__ = ["explain"]


def explain(
    fetches: Any, feed_dict: Any = None, session: Any = None, *, source: bool = False
) -> Explanation:
    """What `session.run(fetches, feed_dict)` does: passes, steps, kernels, bytes and times.

    To find out it runs them several times, as a plan that has run a few times runs: natively, if it
    can. What this writes to variables is taken back. All else that ops do is done: prints, calls of
    Python functions, random numbers drawn.

    Args:
      fetches, feed_dict: as for `Session.run`; or a function made by `hf.function`, of which it
        says what is known from the calls so far, and runs nothing.
      session: the session; if it is None the default session or, without one, a new session in
        which all variables of the default graph are initialized.
      source: whether the text shows the source of the kernels.

    Returns: an object whose `str` is a report. `plans[0]` has what it says in fields: `passes`
    (pairs of name and seconds), `steps` (with `what`, `ops`, `kernel`, `bytes`, `why`), `times`
    (seconds), `kernels` (with `source`), `fallbacks` (pairs of op and reason), `bytes`, `memory`
    (bytes) and `memory_without_reuse`. `fallbacks` of the object itself is their number.

    Raises:
      OpError: as `Session.run` does.

    >>> import hybridflow as hf
    >>> with hf.Graph().as_default(), hf.Session():
    ...     x = hf.placeholder(hf.float32, [None], name="x")
    ...     y = hf.reduce_sum(hf.tanh(x) * 2.0)
    ...     found = hf.explain(y, {x: [1.0, 2.0, 3.0]})
    >>> found.plans[0].ops
    ('Tanh', 'mul', 'Sum')
    >>> found.plans[0].steps[-1].ops[-1]
    'Sum'
    """
    # Imported with the first report, with all that makes programs.
    report = importlib.import_module("hybridflow._src.runtime.report")
    found: Explanation = report.explain(fetches, feed_dict, session, source)
    return found
