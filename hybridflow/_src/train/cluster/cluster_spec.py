"""`ClusterSpec`: the tasks of each job, with their addresses."""

from __future__ import annotations

from typing import Any

from hybridflow._src.formats import messages

__all__ = ["ClusterSpec"]

_NOT_TASKS = (
    "The tasks for job {job!r} must be a list or a dictionary from integers to strings, got "
    "{tasks!r:.200}."
)


class ClusterSpec:
    """The jobs of a cluster, and the address of each of their tasks.

    Args:
      cluster: a dict from the names of jobs to addresses: as a list, or as a dict from the number
        of a task; or a `ClusterDef` message; or another `ClusterSpec`.

    Raises:
      TypeError: for anything else.

    >>> import hybridflow as hf
    >>> spec = hf.train.ClusterSpec({"ps": ["ps0:2222"], "worker": {1: "worker1:2222"}})
    >>> spec.jobs, spec.num_tasks("worker"), spec.task_address("worker", 1)
    (['ps', 'worker'], 1, 'worker1:2222')
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, cluster: Any) -> None:
        if isinstance(cluster, ClusterSpec):
            cluster = cluster.as_cluster_def()
        if isinstance(cluster, messages.ClusterDef):
            cluster = {job.name: dict(job.tasks) for job in cluster.job}
        if not isinstance(cluster, dict):
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network "
                "addresses, or a `ClusterDef` protocol buffer"
            )
        self._tasks = {_text(job, "job name"): _numbered(job, cluster[job]) for job in cluster}

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def __eq__(self, other: object) -> bool:
        return self._tasks == (other._tasks if isinstance(other, ClusterSpec) else other)

    def __repr__(self) -> str:
        jobs = self.as_dict()
        return f"ClusterSpec({{{', '.join([f'{job!r}: {jobs[job]!r}' for job in sorted(jobs)])}}})"

    def as_dict(self) -> dict[str, Any]:
        """For each job a list of addresses, or a dict by number where some numbers are missing."""
        return {
            job: self.job_tasks(job) if len(tasks) == max(tasks, default=-1) + 1 else dict(tasks)
            for job, tasks in self._tasks.items()
        }

    def as_cluster_def(self) -> Any:
        """The `ClusterDef` message."""
        found = messages.ClusterDef()
        for job in sorted(self._tasks):
            found.job.add(name=job, tasks=self._tasks[job])
        return found

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._tasks)

    def _job(self, job_name: str) -> dict[int, str]:
        try:
            return self._tasks[job_name]
        except KeyError:
            raise ValueError(f"No such job in cluster: {job_name!r}") from None

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has.

        Raises:
          ValueError: if there is no such job.
        """
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers of a job's tasks.

        Raises:
          ValueError: if there is no such job.
        """
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """The address of a task.

        Raises:
          ValueError: if there is no such task.
        """
        try:
            return self._job(job_name)[task_index]
        except KeyError:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}") from None

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses of a job's tasks by number, None for numbers that are missing.

        Raises:
          ValueError: if there is no such job.
        """
        tasks = self._job(job_name)
        return [tasks.get(number) for number in range(max(tasks, default=-1) + 1)]


def _numbered(job: Any, tasks: Any) -> dict[int, str]:
    if isinstance(tasks, (list, tuple)):
        tasks = dict(enumerate(tasks))
    if not isinstance(tasks, dict):
        raise TypeError(_NOT_TASKS.format(job=job, tasks=tasks))
    for number in tasks:
        if not isinstance(number, int):
            raise TypeError(_NOT_TASKS.format(job=job, tasks=tasks))
    return {number: _text(tasks[number], "task address") for number in sorted(tasks)}


def _text(value: Any, what: str) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if not isinstance(value, str):
        raise TypeError(f"A {what} must be a string, got {value!r:.200}.")
    return value
