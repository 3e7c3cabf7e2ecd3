"""Records programs: values and kinds of errors. `record_input.py input contrib` records both."""

import importlib
import sys

import input_running
from recording import Writer, tf


def recorded(source):
    """What a program leaves in `out`."""
    return {"source": source, "out": input_running.encoded(input_running.executed(tf, source))}


def main():
    """Writes NAME.json and NAME.npz for the programs of `NAME_programs.py`."""
    for name in sys.argv[1:]:
        writer = Writer(name)
        programs = importlib.import_module(name + "_programs").PROGRAMS
        for ident, source in sorted(programs.items()):
            writer.attempt(ident, recorded, (source,))
        writer.save()


if __name__ == "__main__":
    main()
