"""Flags of the command line, defined one by one at the top of a program."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_string",
    "FLAGS",
    "mark_flag_as_required",
    "mark_flags_as_required",
]

_TRUE = frozenset(("true", "t", "1"))


class Flag(NamedTuple):
    """A flag, its value, and the value that it has by default."""

    name: str
    value: Any
    default: Any


class _FlagValues:
    """The values of all flags: attributes, read from `sys.argv` when the first of them is used.

    Setting an attribute overrides the command line. It is also a mapping from names to flags.
    """

    def __init__(self) -> None:
        # In `__dict__` under the names that TF-1.x programs use, so `__flags` is not mangled.
        self.__dict__.update(
            {
                "__flags": {},
                "__parsed": False,
                "__required": set(),
                "__parser": argparse.ArgumentParser(),
            }
        )

    def _parse_flags(self, args: list[str] | None = None) -> list[str]:
        """Reads the flags from `args` (`sys.argv[1:]` by default); gives what is left over.

        Raises:
          AttributeError: if a required flag is not given. SystemExit: for a value of the wrong
            type, as argparse does.
        """
        parser = self.__dict__["__parser"]
        parser.prog = os.path.basename(sys.argv[0])
        found, rest = parser.parse_known_args(args)
        self.__dict__["__flags"].update(vars(found))
        self.__dict__["__parsed"] = True
        for name in sorted(self.__dict__["__required"]):
            if self.__dict__["__flags"].get(name) is None:
                raise AttributeError(f"Flag --{name} must be specified.")
        return rest

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if not self.__dict__["__parsed"]:
            self._parse_flags()
        values = self.__dict__["__flags"]
        if name not in values:
            near = difflib.get_close_matches(name, values, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise AttributeError(
                f"No flag {name!r} is defined.{hint} Define it with hf.flags.DEFINE_string and the "
                "like before flags are first read."
            )
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if not self.__dict__["__parsed"]:
            self._parse_flags()
        self.__dict__["__flags"][name] = value

    def __dir__(self) -> list[str]:
        return sorted(vars(self.__dict__["__parser"].parse_known_args([])[0]))

    def flag_values_dict(self) -> dict[str, Any]:
        """The values of all flags, by name."""
        return {name: getattr(self, name) for name in dir(self)}

    def __iter__(self) -> Iterator[str]:
        return iter(dir(self))

    def __len__(self) -> int:
        return len(dir(self))

    def __contains__(self, name: str) -> bool:
        return name in dir(self)

    def __getitem__(self, name: str) -> Flag:
        if name not in self:
            raise KeyError(name)
        return Flag(name, getattr(self, name), self.__dict__["__parser"].get_default(name))

    def _define(self, name: str, default: Any, doc: str | None, **options: Any) -> None:
        # TF-1.x help texts are no format strings.
        text = None if doc is None else doc.replace("%", "%%")
        self.__dict__["__parser"].add_argument(f"--{name}", default=default, help=text, **options)
        # What is defined after the others were read is read with the next that is asked for.
        self.__dict__["__parsed"] = False

    def _require(self, name: str) -> None:
        self.__dict__["__required"].add(name)


FLAGS = _FlagValues()


def DEFINE_string(flag_name: str, default_value: str | None, docstring: str | None) -> None:
    """Defines a flag of type str: `--name VALUE` or `--name=VALUE`.

    Args:
      flag_name: its name, without dashes; an attribute of `FLAGS` from now on.
      default_value: its value where it is not given.
      docstring: what `--help` says of it.

    Raises:
      argparse.ArgumentError: if the flag is defined already.

    >>> import hybridflow as hf
    >>> hf.flags.DEFINE_string("data_folder", "data", "Where the data are.")
    >>> hf.flags.FLAGS._parse_flags(["--data_folder", "here", "file"])
    ['file']
    >>> hf.flags.FLAGS.data_folder
    'here'
    """
    FLAGS._define(flag_name, default_value, docstring, type=str)


def DEFINE_integer(flag_name: str, default_value: int | None, docstring: str | None) -> None:
    """Defines a flag of type int; see `DEFINE_string`."""
    FLAGS._define(flag_name, default_value, docstring, type=int)


def DEFINE_float(flag_name: str, default_value: float | None, docstring: str | None) -> None:
    """Defines a flag of type float; see `DEFINE_string`."""
    FLAGS._define(flag_name, default_value, docstring, type=float)


def DEFINE_boolean(flag_name: str, default_value: bool | None, docstring: str | None) -> None:
    """Defines a flag of type bool: `--name`, `--noname`, `--name=true` or `--name=false`."""
    parser = FLAGS.__dict__["__parser"]
    FLAGS._define(flag_name, default_value, docstring, nargs="?", const=True, type=_truth)
    parser.add_argument(
        f"--no{flag_name}",
        action="store_false",
        dest=flag_name.replace("-", "_"),
        default=default_value,
        help=argparse.SUPPRESS,
    )


def DEFINE_enum(
    flag_name: str, default_value: str | None, enum_values: list[str], docstring: str | None
) -> None:
    """Defines a flag that is one of several strings; see `DEFINE_string`."""
    FLAGS._define(flag_name, default_value, docstring, type=str, choices=list(enum_values))


def mark_flag_as_required(flag_name: str) -> None:
    """Makes reading the flags fail (AttributeError) where this one has no value."""
    FLAGS._require(flag_name)


def mark_flags_as_required(flag_names: list[str]) -> None:
    """`mark_flag_as_required` for each of several flags."""
    for flag_name in flag_names:
        FLAGS._require(flag_name)


def _truth(text: str) -> bool:
    return text.lower() in _TRUE


DEFINE_bool = DEFINE_boolean
