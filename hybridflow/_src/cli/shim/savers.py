"""`tensorflow.python.training.saver`: with what saves the objects of a program."""

from __future__ import annotations

from hybridflow._src.train.saving.saveables import SaveableObject as _SaveableObject
from hybridflow._src.train.saving.saveables import SaveSpec as _SaveSpec
from hybridflow._src.train.sessions.scaffold import saver_or_default as _get_saver_or_default

__all__ = ["BaseSaverBuilder", "_get_saver_or_default"]


class BaseSaverBuilder:
    """Holds the classes of what is saved; `hf.train.Saver` makes its operations itself."""

    SaveSpec = _SaveSpec
    SaveableObject = _SaveableObject
