"""Where the nodes of a graph stand: which branch of which `cond`, which loop they belong to.

TensorFlow 1 writes control flow as nodes among the others. `Switch` passes a tensor on to one of
two branches, `Merge` takes what came of them; `Enter` brings a tensor into a loop's *frame*, a
`Merge` has its value in this turn, from outside or from the `NextIteration` of the turn before, a
`Switch` passes it to the next turn or to `Exit`, by what `LoopCond` says. From this follows for
each tensor a *place*: the branches and frames around it, outermost first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Ref(NamedTuple):
    """An output of a node."""

    node: str
    output: int


class Branch(NamedTuple):
    """What is computed only if a predicate is true (1) or false (0)."""

    pred: Ref
    taken: int


class Frame(NamedTuple):
    """What is computed turn by turn."""

    name: str


Place = tuple[Branch | Frame, ...]

_DEEPEST = 50  # branches and loops inside each other
# What is done for itself: no result of a branch needs it.
PUSHES = ("StackPush", "StackPushV2")
_CONTROL_FLOW = ("Switch", "Merge", "Enter", "Exit", "NextIteration")


# Ops whose last input only helps some devices, and the ops without it.
_SURPLUS = {"FusedBatchNormGradV3": "FusedBatchNormGradV2"}


class Node:
    """A node with its inputs taken apart.

    Attributes:
      name, op, attr, device: as in the message; the op types that work on references are as those
        that do not, those of `_SURPLUS` as those without what says nothing.
      inputs: the outputs that it takes.
      waits: the names of the nodes that it waits for.
    """

    __slots__ = ("attr", "device", "inputs", "name", "op", "waits")

    def __init__(
        self, name: str, op: str, inputs: list[Ref], waits: list[str], attr: Any, device: str
    ) -> None:
        if op in _SURPLUS:
            op, inputs = _SURPLUS[op], inputs[:-1]
        bare = op.removeprefix("Ref")
        self.op = bare if bare in _CONTROL_FLOW else op
        self.name = name
        self.inputs = inputs
        self.waits = waits
        self.attr = attr
        self.device = device


class Loop:
    """A loop of TensorFlow 1.

    Attributes:
      frame: the frame that it runs in.
      condition: what says whether there is another turn.
      merges: the `Merge` of each loop variable.
      initial, following: its first value, and that for the next turn.
      waits: the nodes that come before that of the next turn is there.
      exits: the `Exit`s, by the position of their variable.
    """

    def __init__(self, name: str, frame: str, condition: Ref) -> None:
        self.name = name
        self.frame = frame
        self.condition = condition
        self.merges: list[str] = []
        self.initial: list[Ref] = []
        self.following: list[Ref] = []
        self.waits: list[list[str]] = []
        self.exits: list[tuple[str, int]] = []


class Structure:
    """The nodes of a graph or function in their places.

    Args:
      nodes: the nodes by name, in the order of the file.
      given: names that stand for values from outside, such as a function's arguments.

    Attributes:
      places: where each node stands. The outputs of a `Switch` stand in its branches.
      loops: the loops by the name of their `LoopCond`; `loop_of` tells which one a `Merge`, `Exit`
        or `Switch` belongs to.

    Raises:
      ValueError: for a cycle that is no loop, a node that is missing, or control flow of another
        form than `cond` and `while_loop` make.
    """

    def __init__(self, nodes: Mapping[str, Node], given: Iterable[str] = ()) -> None:
        self.nodes = nodes
        self._given = frozenset(given)
        self.places: dict[str, Place] = {}
        self.loops: dict[str, Loop] = {}
        self.loop_of: dict[str, str] = {}
        self._loop_merges = {
            node.name: i
            for node in nodes.values()
            if node.op == "Merge"
            for i in range(len(node.inputs))
            if self._op(node.inputs[i].node) == "NextIteration"
        }
        self._sources: dict[Ref, Ref] = {}
        self._predicates: dict[Ref, Ref] = {}
        self._frames: dict[str, Place] = {}
        order = self._in_order()
        known: dict[str, Place] | None = None
        while known != self._frames:
            # Where a frame stands, each of its `Enter`s may tell: a constant enters from anywhere.
            known = dict(self._frames)
            problem = self._find_places(order)
        if problem is not None:
            raise problem
        self._find_loops()

    def _op(self, name: str) -> str:
        return self.nodes[name].op if name in self.nodes else ""

    # -- order -------------------------------------------------------------------------------------

    def sources(self, node: Node) -> Iterator[str]:
        """The nodes that must come before one: the next turn comes after it."""
        back = self._loop_merges.get(node.name)
        for index, ref in enumerate(node.inputs):
            if index != back:
                yield ref.node
        yield from node.waits

    def _in_order(self) -> list[Node]:
        """The nodes, each after those that it needs."""
        order: list[Node] = []
        pending: dict[str, int] = {}
        users: dict[str, list[str]] = {}
        for node in self.nodes.values():
            sources = [name for name in self.sources(node) if name not in self._given]
            self._check_sources(node)
            for name in sources:
                users.setdefault(name, []).append(node.name)
            pending[node.name] = len(sources)
        ready = [name for name, count in pending.items() if not count]
        for name in ready:
            order.append(self.nodes[name])
            for user in users.get(name, ()):
                pending[user] -= 1
                if not pending[user]:
                    ready.append(user)
        if len(order) < len(self.nodes):
            stuck = sorted(name for name, count in pending.items() if count)
            raise ValueError(f"The graph has a cycle that is no loop, at node {stuck[0]!r}.")
        return order

    def _check_sources(self, node: Node) -> None:
        for ref in node.inputs:
            if ref.node not in self.nodes and ref.node not in self._given:
                raise ValueError(
                    f"Node {node.name!r}: Input tensor '{ref.node}:{ref.output}' not found in "
                    "graph_def."
                )
        for name in node.waits:
            if name not in self.nodes and name not in self._given:
                raise ValueError(
                    f"Node {node.name!r}: Control input '^{name}' not found in graph_def."
                )

    # -- places ------------------------------------------------------------------------------------

    def _find_places(self, order: Iterable[Node]) -> ValueError | None:
        """Finds where nodes stand, in this order; gives what is wrong with one that does not."""
        self.places.clear()
        self._predicates.clear()
        try:
            for node in order:
                place = self.places[node.name] = self._place(node)
                if len(place) > _DEEPEST:
                    raise ValueError(f"Node {node.name!r} is inside more than {_DEEPEST} branches.")
        except ValueError as error:
            return error
        return None

    def place(self, ref: Ref) -> Place:
        """Where a tensor stands."""
        place = self.places.get(ref.node, ())
        node = self.nodes.get(ref.node)
        if node is not None and node.op == "Switch" and not self.is_loop_switch(node):
            if ref.output > 1:
                raise ValueError(f"Node {ref.node!r} has 2 outputs, not {ref.output + 1}.")
            branch = Branch(self._predicate(node.inputs[1]), ref.output)
            # Inside of a branch its predicate says nothing new.
            return place if branch in place else (*place, branch)
        return place

    def _predicate(self, ref: Ref) -> Ref:
        """One tensor for all that are the same predicate: `cond` passes it on by identities."""
        ref = self.source(ref)
        node = self.nodes.get(ref.node)
        passed = []
        while node is not None and node.op == "Identity" and not node.waits and node.inputs:
            if ref in self._predicates:
                ref = self._predicates[ref]
                break
            passed.append(ref)
            ref = self.source(node.inputs[0])
            node = self.nodes.get(ref.node)
        self._predicates.update(dict.fromkeys(passed, ref))
        return ref

    def is_loop_switch(self, node: Node) -> bool:
        """Whether a `Switch` leads into the next turn of a loop."""
        return self._op(node.inputs[1].node) == "LoopCond"

    def source(self, ref: Ref) -> Ref:
        """A tensor, or for one that control flow hands on unchanged, where it comes from."""
        passed = []
        node = self.nodes.get(ref.node)
        while ref not in self._sources and node is not None and self.hands_on(node):
            passed.append(ref)
            ref = node.inputs[0]
            node = self.nodes.get(ref.node)
        found = self._sources.get(ref, ref)
        self._sources.update(dict.fromkeys(passed, found))
        return found

    def hands_on(self, node: Node) -> bool:
        """Whether a node's outputs are its first input, in another place."""
        if node.op == "Switch":
            return not self.is_loop_switch(node)
        return node.op in ("Enter", "LoopCond")

    def _place(self, node: Node) -> Place:
        arity = {"Switch": 2, "Enter": 1, "Exit": 1, "NextIteration": 1, "LoopCond": 1}
        if len(node.inputs) != arity.get(node.op, len(node.inputs)):
            raise ValueError(f"Node {node.name!r} ({node.op}) has {len(node.inputs)} inputs.")
        if node.op == "Merge" and node.name not in self._loop_merges:
            return self._after_branches(node)
        if node.op == "ControlTrigger":
            return self._of_trigger(node)
        place: Place = ()
        back = self._loop_merges.get(node.name)
        around = [self.place(r) for i, r in enumerate(node.inputs) if i != back]
        around += [self.places.get(name, ()) for name in node.waits]
        for other in around:
            short, place = sorted((place, other), key=len)
            if place[: len(short)] != short:
                raise ValueError(
                    f"Node {node.name!r} uses tensors of different branches or loops, which no "
                    "`Merge` or `Exit` has brought together."
                )
        if node.op == "Enter":
            frame = Frame(node.attr["frame_name"].s.decode("utf-8", "replace"))
            known = self._frames.get(frame.name, place)
            if len(place) >= len(known) or known[: len(place)] != place:
                self._frames[frame.name] = known = place
            return (*known, frame)
        if node.op == "Exit":
            frames = [i for i, part in enumerate(place) if isinstance(part, Frame)]
            if not frames:
                raise ValueError(f"Node {node.name!r} (Exit) is in no loop.")
            return place[: frames[-1]]
        return place

    def _of_trigger(self, node: Node) -> Place:
        """A `ControlTrigger` also waits for what stands in branches that may not be taken."""
        common: list[Branch | Frame] = []
        for parts in zip(*[self.places.get(name, ()) for name in node.waits], strict=False):
            if len(set(parts)) > 1:
                break
            common.append(parts[0])
        while common and isinstance(common[-1], Branch):
            common.pop()
        return tuple(common)

    def _after_branches(self, node: Node) -> Place:
        places = [self.place(ref) for ref in node.inputs]
        ends = [place[-1] if place else None for place in places]
        if (
            len(places) != 2
            or places[0][:-1] != places[1][:-1]
            or not all(isinstance(end, Branch) for end in ends)
            or ends[0] == ends[1]
            or ends[0].pred != ends[1].pred  # type: ignore[union-attr]
        ):
            raise ValueError(
                f"Node {node.name!r} (Merge) does not bring the two branches of one condition "
                "together: control flow of this form cannot be imported."
            )
        return places[0][:-1]

    # -- loops -------------------------------------------------------------------------------------

    def _find_loops(self) -> None:
        switches: dict[str, str] = {}
        for node in self.nodes.values():
            if node.op == "Switch" and self.is_loop_switch(node):
                switches[node.inputs[0].node] = node.name
        for name, back in self._loop_merges.items():
            self._add_variable(self.nodes[name], back, switches.get(name))
        for node in self.nodes.values():
            if node.op == "Exit":
                switch = self._switch(node)
                loop = None if switch is None else self.loops.get(self.loop_of[switch.name])
                if loop is None or switch is None:
                    raise ValueError(f"Node {node.name!r} (Exit) does not end a loop.")
                loop.exits.append((node.name, loop.merges.index(switch.inputs[0].node)))
                self.loop_of[node.name] = loop.name

    def _switch(self, exit_: Node) -> Node | None:
        """The `Switch` of the loop variable that an `Exit` brings out, through identities."""
        node = self.nodes.get(exit_.inputs[0].node)
        while node is not None and node.op == "Identity":
            node = self.nodes.get(node.inputs[0].node)
        return node if node is not None and node.name in self.loop_of else None

    def _add_variable(self, merge: Node, back: int, switch: str | None) -> None:
        """Notes a loop variable."""
        place = self.places[merge.name]
        entering = merge.inputs[1 - back] if len(merge.inputs) == 2 else None
        if (
            switch is None
            or entering is None
            or self._op(entering.node) != "Enter"
            or not isinstance(place[-1], Frame)
        ):
            raise ValueError(f"Node {merge.name!r} (Merge) is no variable of a `while_loop`.")
        condition = self.nodes[switch].inputs[1].node
        loop = self.loops.get(condition)
        if loop is None:
            loop = Loop(condition, place[-1].name, self.nodes[condition].inputs[0])
            self.loops[condition] = loop
        loop.merges.append(merge.name)
        loop.initial.append(self.source(entering))
        following = self.nodes[merge.inputs[back].node]
        loop.following.append(following.inputs[0])
        loop.waits.append(following.waits)
        for name in (merge.name, switch):
            self.loop_of[name] = condition
