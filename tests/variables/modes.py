"""Both modes as one fixture: a test body that takes `mode` runs eagerly and as a graph."""

from __future__ import annotations

from typing import Any

import hybridflow as hf


class Mode:
    """What a test needs to know of the mode that it runs in.

    Attributes:
      eager: whether it is eager mode.
      session: the session of the test's graph; None in eager mode.
    """

    def __init__(self, session: hf.Session | None) -> None:
        self.eager = session is None
        self.session = session

    def start(self) -> None:
        """Initializes the variables made so far, where that is still to be done."""
        if self.session is not None:
            missing = self.session.run(hf.report_uninitialized_variables())
            variables = {
                v.op.name.encode(): v for v in hf.global_variables() + hf.local_variables()
            }
            self.session.run([variables[name].initializer for name in missing])

    def value(self, item: Any) -> Any:
        """The value of a tensor, variable or operation; in a graph it runs now."""
        if self.session is None:
            return item.numpy() if hasattr(item, "numpy") else item
        return self.session.run(item)


def names(items: Any) -> list[str]:
    return [item.name for item in items]
