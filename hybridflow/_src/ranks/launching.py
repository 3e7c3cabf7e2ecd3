"""Whether this process is one of several, as the program tells that started it."""

from __future__ import annotations

import importlib
import os
from typing import Any, NamedTuple

# The number of processes and this one's, as MPICH's launcher (and Slurm's for PMI) and Open MPI's
# name them. Slurm with PMIx tells them by its own names.
_NAMES = (
    ("PMI_SIZE", "PMI_RANK"),
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),
)
_SLURM = ("SLURM_NTASKS", "SLURM_PROCID", "PMIX_RANK")

# How many processes Slurm started with this one, whatever it told them of each other.
_TOGETHER = "SLURM_STEP_NUM_TASKS"
_UNTOLD = (
    "srun started {size} processes (SLURM_STEP_NUM_TASKS says so) and told them nothing of each "
    "other: each would train by itself. Say `srun --mpi=pmix` for Open MPI, or `srun --mpi=pmi2` "
    "for MPICH; `srun --mpi=list` lists what Slurm has."
)
_MISSING = (
    "this is one of {size} processes ({name} says so), which need mpi4py to speak with each other: "
    "pip install 'hybridflow[mpi]'"
)
_STRANGERS = (
    "mpiexec started {size} processes ({name} says so), but {library}, which mpi4py uses, sees "
    "{seen}: the two belong to different MPIs. Start with the mpiexec of that library, or install "
    "mpi4py for the other."
)


class Launch(NamedTuple):
    """What the launcher said: how many processes, which one this is, and who said so."""

    size: int
    rank: int
    name: str


def launch() -> Launch | None:
    """What the launcher said; None where this process was started by itself."""
    found = [names for names in _NAMES if names[0] in os.environ]
    if not found and _SLURM[2] in os.environ:
        found = [_SLURM[:2]]
    for size, rank in found:
        try:
            return Launch(int(os.environ[size]), int(os.environ[rank]), size)
        except (KeyError, ValueError):
            continue
    return None


def mpi() -> Any:
    """The module `mpi4py.MPI`, imported, which initializes MPI; None without a launcher.

    Raises:
      ImportError: if it is not installed, and this process is one of several. RuntimeError: if its
        library is not the launcher's, or Slurm's launcher told several nothing of each other.
    """
    found = launch()
    if found is None:
        together = os.environ.get(_TOGETHER, "1")
        if together != "1":
            raise RuntimeError(_UNTOLD.format(size=together))
        return None
    try:
        module: Any = importlib.import_module("mpi4py.MPI")
    except ImportError as error:
        if found.size == 1:
            return None
        said = _MISSING.format(size=found.size, name=found.name)
        raise ImportError(said, name="mpi4py") from error
    seen = module.COMM_WORLD.Get_size()
    if seen != found.size:
        library = module.Get_library_version().split("\n")[0].rstrip("\0 ")
        raise RuntimeError(
            _STRANGERS.format(size=found.size, name=found.name, library=library, seen=seen)
        )
    return module
