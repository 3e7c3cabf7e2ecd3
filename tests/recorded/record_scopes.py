"""Records what programs made at random do with scopes: names, errors, collections, ops."""

from random_scopes import Program
from recording import Writer, tf

PROGRAMS = 150
# Here a partitioned variable is also found without its partitioner where it may be made.
BETTER_HERE = "ValueError No partitioner was provided"


def program_case(seed):
    """Runs the program of one seed."""
    trace, ops = Program(tf, seed).run()
    return {"seed": seed, "trace": trace, "ops": ops}


def main():
    """Writes scopes.json and scopes.npz."""
    writer = Writer("scopes")
    for seed in range(PROGRAMS):
        case = program_case(seed)
        if not any(step.startswith(BETTER_HERE[:30]) for step in case["trace"]):
            writer.add(dict(case, id=f"program_{seed}"))
    writer.save()


if __name__ == "__main__":
    main()
