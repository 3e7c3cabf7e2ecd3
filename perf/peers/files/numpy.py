"""Plain files: arrays one after the other, and the checksum of each."""

from __future__ import annotations

import os
from typing import Any

import google_crc32c
import numpy as np

from perf.workloads.files import STEP, Kept, folder
from perf.workloads.subject import Answers, Subject, implements


class _File:
    """A file in a folder of its own, written under another name at first."""

    def __init__(self, problem: Kept) -> None:
        self._problem = problem
        self._path = os.path.join(folder(), "arrays")

    def _pass(self, arrays: list[np.ndarray], file: Any, move: Any) -> None:
        for array in arrays:
            data = array.view(np.uint8)
            crc = 0
            for start in range(0, data.size, STEP):
                piece = data[start : start + STEP]
                move(piece)
                crc = google_crc32c.extend(crc, piece)

    def write(self) -> None:
        with open(self._path + ".new", "wb", buffering=0) as file:
            self._pass(self._problem.values, file, file.write)
            os.fsync(file.fileno())
        os.replace(self._path + ".new", self._path)

    def read(self) -> list[np.ndarray]:
        arrays = [np.empty_like(value) for value in self._problem.values]
        with open(self._path, "rb", buffering=0) as file:
            self._pass(arrays, file, lambda piece: file.readinto(piece.data))
        return arrays


@implements("save")
def save(problem: Kept) -> Subject:
    file = _File(problem)
    return Subject(file.write, file.read)


@implements("restore")
def restore(problem: Kept) -> Subject:
    file = _File(problem)
    file.write()
    return Answers(file.read)
