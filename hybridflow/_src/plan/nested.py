"""What control flow ops compute: they run the plans of their bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hybridflow._src.framework.errors import OpError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # Runs the plan of a body, given its feeds and what some of its instructions gave already.
    RunBody = Callable[[Any, list[Any], Mapping[int, Any] | None], list[Any]]


class Turns(list[Any]):
    """A stack: the values that one tensor of a loop's body had, turn by turn. A class of its own
    tells it from the list of results of an op with several outputs.
    """


class Part(NamedTuple):
    """A body: its plan, and where its captures stand among those of the op."""

    plan: Any
    captures: tuple[int, ...]


class Stopped(NamedTuple):
    """Where a native loop had to stop, for the interpreter to go on from there.

    Attributes:
      turn: its number. state: the loop variables before it. stacks: what was kept in those before.
    """

    turn: int
    state: list[Any]
    stacks: list[Turns]


def as_arrays(results: Sequence[Any]) -> list[Any]:
    """What a plan gave, for another one: a string alone stands as programs want it."""
    return [np.array(v, object) if v.__class__ is bytes else v for v in results]


def run_body(plan: Any, feeds: list[Any], given: Mapping[int, Any] | None) -> list[Any]:
    """Runs a body like any other plan."""
    if not given:
        return as_arrays(plan.run_silenced(feeds))
    return plan.interpret(plan.ready(feeds), given=given)


class Nested:
    """What an op with bodies computes.

    Attributes:
      parts: its bodies. first: where the captures begin among the op's inputs.
    """

    def __init__(self, parts: Sequence[Part], first: int) -> None:
        self.parts = tuple(parts)
        self.first = first

    def __call__(self, *inputs: Any) -> list[Any]:
        return self.run(inputs, run_body)

    def run(self, inputs: Sequence[Any], run: RunBody, given: Any = None) -> list[Any]:
        """What the op gives.

        Args:
          run: runs a body. given: what instructions of the bodies gave already; for a loop, where
            it stopped.
        """
        raise NotImplementedError


class Choosing(Nested):
    """Runs one of several bodies.

    Args:
      choose: tells which, from the op's first input.
      places: for each body, where its results stand among those of the op.
      unused: what stands for results of the bodies that do not run.
    """

    def __init__(
        self,
        choose: Callable[[Any], int],
        parts: Sequence[Part],
        places: Sequence[Sequence[int]],
        unused: Sequence[Any],
    ) -> None:
        super().__init__(parts, 1)
        self._choose = choose
        self.places = places
        self._unused = unused

    def run(self, inputs: Sequence[Any], run: RunBody, given: Any = None) -> list[Any]:
        chooser, *captures = inputs
        number = self._choose(chooser)
        part = self.parts[number]
        results = list(self._unused)
        values = run(part.plan, [captures[i] for i in part.captures], given)
        for place, value in zip(self.places[number], values, strict=True):
            results[place] = value
        return results


class Repeating(Nested):
    """Runs a condition and a body in turns, until the condition fails.

    Args:
      is_true: tells whether the condition holds. count: how many loop variables there are.
      saved: how many more results of the body are kept, in a stack each.

    Attributes:
      longest: the most turns that there have been. largest: the most elements of a tensor array.
    """

    def __init__(
        self,
        name: str,
        is_true: Callable[[Any], bool],
        condition: Part,
        body: Part,
        count: int,
        saved: int,
    ) -> None:
        super().__init__((condition, body), count)
        self._name = name
        self._is_true = is_true
        self.count = count
        self.saved = saved
        self.longest = 0
        self.largest = 0

    def run(self, inputs: Sequence[Any], run: RunBody, given: Any = None) -> list[Any]:
        count = self.count
        condition, body = self.parts
        captures = inputs[count:]
        for_condition = [captures[i] for i in condition.captures]
        for_body = [captures[i] for i in body.captures]
        state = list(inputs[:count])
        stacks = [Turns() for _ in range(self.saved)]
        turns = 0
        if isinstance(given, Stopped):
            turns, state, stacks = given
        try:
            while self._is_true(run(condition.plan, [*state, *for_condition], None)[0]):
                values = run(body.plan, [*state, *for_body], None)
                state = values[:count]
                for stack, value in zip(stacks, values[count:], strict=True):
                    stack.append(value)
                turns += 1
        except OpError as error:
            error.in_turn(turns, self._name)
            raise
        self.longest = max(self.longest, turns)
        self.largest = max([self.largest, *[len(v) for v in state if isinstance(v, Turns)]])
        return [*state, np.asarray(turns, np.int32), *stacks]
