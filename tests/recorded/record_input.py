"""Records programs on queues, readers, strings, records and tables: values and kinds of errors."""

import input_programs
import input_running
from recording import Writer, tf


def recorded(source):
    """What a program leaves in `out`."""
    return {"source": source, "out": input_running.encoded(input_running.executed(tf, source))}


def main():
    """Writes input.json and input.npz."""
    writer = Writer("input")
    for ident, source in sorted(input_programs.PROGRAMS.items()):
        writer.attempt(ident, recorded, (source,))
    writer.save()


if __name__ == "__main__":
    main()
