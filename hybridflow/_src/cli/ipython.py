"""What the prompt adds to IPython."""

from __future__ import annotations

import gc
import sys
import types
from typing import Any

import numpy as np

import hybridflow as hf
from hybridflow._src.cli import graph_cell, tracebacks
from hybridflow._src.cli.completion import completions
from hybridflow._src.cli.interrupts import Watch

_IN_GRAPH_MODE = (
    "hybridflow: graph mode stays on, since the default graph holds operations already. "
    "`hf.reset_default_graph()`, then `hf.enable_eager_execution()`, bring eager mode."
)


def start(banner: str, namespace: dict[str, Any]) -> None:
    """Opens IPython.

    Raises:
      ImportError: if it is not installed.
    """
    gc.disable()  # collections find nothing while packages are imported, and take time
    try:
        import IPython
        from IPython.terminal.interactiveshell import TerminalInteractiveShell
        from traitlets.config import Config
    finally:
        gc.enable()
    config = Config()
    config.TerminalInteractiveShell.banner1 = banner
    if hasattr(TerminalInteractiveShell, "enable_tip"):
        config.TerminalInteractiveShell.enable_tip = False
    config.TerminalIPythonApp.extensions = [__name__]
    IPython.start_ipython(argv=[], user_ns=namespace, config=config)


def load_ipython_extension(shell: Any) -> None:
    """Adds `%%graph`, completion of names, folded tracebacks, a Ctrl-C that leaves no traces.

    Also eager mode, and the names `hf` and `np` where they are not taken. A notebook that has built
    a graph already stays in graph mode, and is told.
    """
    try:
        hf.enable_eager_execution()
    except ValueError:
        print(_IN_GRAPH_MODE, file=sys.stderr)
    for name, module in (("hf", hf), ("np", np)):
        shell.user_ns.setdefault(name, module)
    shell.register_magic_function(_GraphMagic(shell), "cell", "graph")
    shell.Completer.custom_matchers.append(_matcher())
    shell.set_custom_exc((BaseException,), _show)
    watch = Watch()
    shell.events.register("pre_run_cell", lambda _: watch.begin())
    shell.events.register("post_run_cell", lambda _: watch.end())


class _GraphMagic:
    """The magic `%%graph`."""

    __name__ = "graph"

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def __call__(self, line: str, cell: str) -> Any:
        shell = self._shell
        source = shell.transform_cell(cell)
        # The cell itself is the last of the inputs already.
        number = len(shell.history_manager.input_hist_parsed) - 1
        filename = shell.compile.cache(source, number)
        return graph_cell.run(source, filename, shell.user_ns)


def _show(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: types.TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Shows an exception as IPython does, without hybridflow's own frames.

    What Python would add to it, IPython leaves out: the name that was perhaps meant.
    """
    count = tracebacks.fold(error)
    shell.showtraceback((kind, error, error.__traceback__), tb_offset=tb_offset)
    hint = tracebacks.hint(error)
    if hint:
        print(hint, file=sys.stderr)
    if count:
        print(tracebacks.note(count), file=sys.stderr)


def _matcher() -> Any:
    from IPython.core.completer import SimpleCompletion, context_matcher

    def variable_name_matcher(context: Any) -> Any:
        found = completions(context.full_text[: _position(context)])
        if found is None:
            return {"completions": [], "suppress": False}
        typed, names = found
        return {
            "completions": [SimpleCompletion(name, type="variable") for name in names],
            "matched_fragment": typed,
            "suppress": True,
        }

    return context_matcher()(variable_name_matcher)


def _position(context: Any) -> int:
    """The cursor's place in the whole text."""
    lines = context.full_text.split("\n")[: context.cursor_line]
    return sum(len(line) + 1 for line in lines) + int(context.cursor_position)
