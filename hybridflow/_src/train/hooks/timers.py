"""When hooks do their work: every so many steps or seconds."""

from __future__ import annotations

import time

__all__ = ["SecondOrStepTimer"]

# Seconds and steps since the last time; None the first time.
_Elapsed = tuple[float | None, int | None]


class SecondOrStepTimer:
    """Says at which steps something is due: every so many seconds, or every so many steps.

    Args:
      every_secs: how many seconds.
      every_steps: how many steps, instead.

    Raises:
      ValueError: unless exactly one of both is given.

    >>> import hybridflow as hf
    >>> timer = hf.train.SecondOrStepTimer(every_steps=2)
    >>> due = []
    >>> for step in range(5):
    ...     if timer.should_trigger_for_step(step):
    ...         _ = timer.update_last_triggered_step(step)
    ...         due.append(step)
    >>> due
    [0, 2, 4]
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None) -> None:
        if every_secs is None and every_steps is None:
            raise ValueError("Either every_secs or every_steps should be provided.")
        if every_secs is not None and every_steps is not None:
            raise ValueError("Can not provide both every_secs and every_steps.")
        self._every_secs = every_secs
        self._every_steps = every_steps
        self.reset()

    def reset(self) -> None:
        """Begins anew: the next step is due."""
        # The step and the time.
        self._last: tuple[int, float] | None = None

    def should_trigger_for_step(self, step: int) -> bool:
        """Tells whether it is due at a step."""
        if self._last is None:
            return True
        last_step, last_time = self._last
        if step == last_step:
            return False
        if self._every_secs is not None:
            return time.time() >= last_time + self._every_secs
        return step >= last_step + (self._every_steps or 0)

    def update_last_triggered_step(self, step: int) -> _Elapsed:
        """Notes that it has been done at a step.

        Returns: seconds and steps since the last time; None and None the first time.
        """
        now = time.time()
        last, self._last = self._last, (step, now)
        return (None, None) if last is None else (now - last[1], step - last[0])

    def last_triggered_step(self) -> int | None:
        """The step at which it was done last, or None."""
        return None if self._last is None else self._last[0]


class NeverTriggerTimer:
    """Something that is never due."""

    def reset(self) -> None:
        """Does nothing."""

    def should_trigger_for_step(self, step: int) -> bool:
        """False."""
        return False

    def update_last_triggered_step(self, step: int) -> _Elapsed:
        """None and None."""
        return None, None

    def last_triggered_step(self) -> int | None:
        """None."""
        return None
