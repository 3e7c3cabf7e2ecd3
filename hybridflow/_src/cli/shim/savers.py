"""`tensorflow.python.training.saver`: with what saves the objects of a program."""

from __future__ import annotations

from hybridflow._src.train.saving.saveables import SaveableObject as _SaveableObject
from hybridflow._src.train.saving.saveables import SaveSpec as _SaveSpec

__all__ = ["BaseSaverBuilder"]


class BaseSaverBuilder:
    """Holds the classes of what is saved; `hf.train.Saver` makes its operations itself."""

    SaveSpec = _SaveSpec
    SaveableObject = _SaveableObject
