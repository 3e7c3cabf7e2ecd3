"""The processes of a job under MPI: who they are, what they exchange, how they fail together."""
