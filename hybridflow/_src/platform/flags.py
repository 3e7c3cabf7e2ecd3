"""Flags of the command line, defined one by one at the top of a program."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from hybridflow._src.framework.spelling import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_enum_class",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_list",
    "DEFINE_multi_enum",
    "DEFINE_multi_float",
    "DEFINE_multi_integer",
    "DEFINE_multi_string",
    "DEFINE_spaceseplist",
    "DEFINE_string",
    "FLAGS",
    "mark_flag_as_required",
    "mark_flags_as_required",
]

_TRUE = frozenset(("true", "t", "1"))


# What absl, which TensorFlow has had since 1.5, calls the arguments of definitions.
_absl = spelled(name="flag_name", default="default_value", help="docstring")


class Flag(NamedTuple):
    """A flag, its value, the value that it has by default, and what `--help` says of it."""

    name: str
    value: Any
    default: Any
    help: str | None


class _Value:
    """What stands in `FLAGS.__flags` for a value that no class can derive from: it has `value`."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, _Value) else other))

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)


def _class_with_value(kind: type) -> type:
    shown = {"__repr__": lambda self: repr(self.value), "__str__": lambda self: str(self.value)}
    return type(kind.__name__, (kind,), {"value": None, **shown})


_WITH_VALUE: dict[type, Any] = {kind: _class_with_value(kind) for kind in (str, int, float, list)}


def _with_value(value: Any) -> Any:
    """A value that programs also find as its attribute `value`.

    TensorFlow 1.4 has the values in `FLAGS.__flags`, and since 1.5 it has flags there, of which
    programs take the `value`.
    """
    kind = _WITH_VALUE.get(type(value))
    if kind is None:
        return _Value(value)
    found: Any = kind(value)
    found.value = value
    return found


def _value_of(kept: Any) -> Any:
    """A value as it was given, of what `_with_value` made of it or a program put in its place."""
    is_ours = isinstance(kept, (_Value, *_WITH_VALUE.values()))
    return getattr(kept, "value", None) if is_ours else kept


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
        values = self.__dict__["__flags"]
        values.update({name: _with_value(value) for name, value in vars(found).items()})
        self.__dict__["__parsed"] = True
        for name in sorted(self.__dict__["__required"]):
            if _value_of(values.get(name)) is None:
                raise AttributeError(f"Flag --{name} must be specified.")
        return rest

    def __call__(self, argv: Sequence[str], known_only: bool = False) -> list[str]:
        """Reads the flags from a command line; gives it without them.

        Args:
          argv: the name of the program, and its arguments.
          known_only: whether arguments that are no flags may begin with dashes.

        Raises:
          AttributeError: for an argument with dashes that is no flag, or without a required flag.
            SystemExit: for a value of the wrong type.
        """
        rest = self._parse_flags(list(argv[1:]))
        unknown = [arg for arg in rest if arg.startswith("-") and arg.strip("-")]
        if unknown and not known_only:
            raise AttributeError(f"Unknown command line flag {unknown[0].lstrip('-')!r}.")
        return [*argv[:1], *rest]

    def mark_as_parsed(self) -> None:
        """Takes the flags as they are, with nothing read from a command line."""
        self._parse_flags([])

    def is_parsed(self) -> bool:
        """Whether the flags have been read."""
        parsed: bool = self.__dict__["__parsed"]
        return parsed

    def set_default(self, name: str, value: Any) -> None:
        """Gives a flag another value for where the command line does not say it.

        Raises:
          AttributeError: if there is no such flag.
        """
        if name not in self:
            raise AttributeError(f"No flag {name!r} is defined.")
        parser = self.__dict__["__parser"]
        values = self.__dict__["__flags"]
        if name in values and _value_of(values[name]) == parser.get_default(name):
            values[name] = _with_value(value)
        parser.set_defaults(**{name: value})

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
        return _value_of(values[name])

    def __setattr__(self, name: str, value: Any) -> None:
        if not self.__dict__["__parsed"]:
            self._parse_flags()
        self.__dict__["__flags"][name] = _with_value(value)

    def __delattr__(self, name: str) -> None:
        """Takes a flag away, so that it may be defined again, as notebooks do.

        Raises:
          AttributeError: if there is no such flag.
        """
        if name not in self:
            raise AttributeError(f"No flag {name!r} is defined.")
        parser = self.__dict__["__parser"]
        for action in [action for action in parser._actions if action.dest == name]:
            parser._remove_action(action)
            for option in action.option_strings:
                del parser._option_string_actions[option]
        self.__dict__["__flags"].pop(name, None)
        self.__dict__["__required"].discard(name)

    def _flags(self) -> dict[str, Any]:
        """The flags by name, each with its `value`."""
        if not self.__dict__["__parsed"]:
            self._parse_flags()
        flags: dict[str, Any] = self.__dict__["__flags"]
        return flags

    def __dir__(self) -> list[str]:
        return sorted(vars(self.__dict__["__parser"].parse_known_args([])[0]))

    def flag_values_dict(self) -> dict[str, Any]:
        """The values of all flags, by name."""
        return {name: getattr(self, name) for name in dir(self)}

    def get_flag_value(self, name: str, default: Any) -> Any:
        """The value of a flag; `default` where it has none."""
        value = getattr(self, name)
        return default if value is None else value

    def __iter__(self) -> Iterator[str]:
        return iter(dir(self))

    def __len__(self) -> int:
        return len(dir(self))

    def __contains__(self, name: str) -> bool:
        return name in dir(self)

    def __getitem__(self, name: str) -> Flag:
        if name not in self:
            raise KeyError(name)
        parser = self.__dict__["__parser"]
        texts = {action.dest: action.help for action in reversed(parser._actions)}
        text = texts.get(name)
        text = None if text is None else text.replace("%%", "%")
        return Flag(name, getattr(self, name), parser.get_default(name), text)

    def _define(self, name: str, default: Any, doc: str | None, **options: Any) -> None:
        # TF-1.x help texts are no format strings.
        text = None if doc is None else doc.replace("%", "%%")
        self.__dict__["__parser"].add_argument(f"--{name}", default=default, help=text, **options)
        # What is defined after the others were read is read with the next that is asked for.
        self.__dict__["__parsed"] = False

    def _require(self, name: str) -> None:
        self.__dict__["__required"].add(name)


FLAGS = _FlagValues()


@_absl
def DEFINE_string(
    flag_name: str, default_value: str | None = None, docstring: str | None = None
) -> None:
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


@_absl
def DEFINE_integer(
    flag_name: str, default_value: int | None = None, docstring: str | None = None
) -> None:
    """Defines a flag of type int; see `DEFINE_string`."""
    FLAGS._define(flag_name, default_value, docstring, type=int)


@_absl
def DEFINE_float(
    flag_name: str, default_value: float | None = None, docstring: str | None = None
) -> None:
    """Defines a flag of type float; see `DEFINE_string`."""
    FLAGS._define(flag_name, default_value, docstring, type=float)


@_absl
def DEFINE_boolean(
    flag_name: str, default_value: bool | None = None, docstring: str | None = None
) -> None:
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


@_absl
def DEFINE_enum(
    flag_name: str,
    default_value: str | None = None,
    enum_values: Sequence[str] = (),
    docstring: str | None = None,
) -> None:
    """Defines a flag that is one of several strings; see `DEFINE_string`."""
    FLAGS._define(flag_name, default_value, docstring, type=str, choices=list(enum_values))


@_absl
def DEFINE_enum_class(
    flag_name: str,
    default_value: Any = None,
    enum_class: Any = None,
    docstring: str | None = None,
) -> None:
    """Defines a flag that is a member of an `enum.Enum`, given by its name in any case.

    >>> import enum
    >>> import hybridflow as hf
    >>> Color = enum.Enum("Color", "RED BLUE")
    >>> hf.flags.DEFINE_enum_class("color", Color.RED, Color, "What to paint with.")
    >>> hf.flags.FLAGS(["program", "--color=blue"])
    ['program']
    >>> hf.flags.FLAGS.color
    <Color.BLUE: 2>
    """
    members = {name.lower(): member for name, member in enum_class.__members__.items()}

    def member(text: str) -> Any:
        if text.lower() not in members:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(members)}")
        return members[text.lower()]

    if isinstance(default_value, str):
        default_value = members[default_value.lower()]
    FLAGS._define(flag_name, default_value, docstring, type=member)


@_absl
def DEFINE_list(flag_name: str, default_value: Any = None, docstring: str | None = None) -> None:
    """Defines a flag that is a list of strings, with commas between them on the command line.

    >>> import hybridflow as hf
    >>> hf.flags.DEFINE_list("layers", "64,32", "Sizes of layers.")
    >>> hf.flags.FLAGS(["program", "--layers=8,4"])
    ['program']
    >>> hf.flags.FLAGS.layers
    ['8', '4']
    """
    _define_list(flag_name, default_value, docstring, ",")


@_absl
def DEFINE_spaceseplist(
    flag_name: str, default_value: Any = None, docstring: str | None = None
) -> None:
    """`DEFINE_list`, with spaces between the strings."""
    _define_list(flag_name, default_value, docstring, None)


def _define_list(name: str, default: Any, doc: str | None, separator: str | None) -> None:
    def split(text: str) -> list[str]:
        return [item.strip() for item in text.split(separator)] if text else []

    default = split(default) if isinstance(default, str) else default
    FLAGS._define(name, default, doc, type=split)


class _Append(argparse.Action):
    """Gathers the values of a flag that is given several times."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        before = getattr(namespace, self.dest, None)
        setattr(namespace, self.dest, [*([] if before is self.default else before or []), values])


def _define_multi(name: str, default: Any, doc: str | None, **options: Any) -> None:
    if default is not None and not isinstance(default, list | tuple):
        default = [default]
    default = None if default is None else list(default)
    FLAGS._define(name, default, doc, action=_Append, **options)


@_absl
def DEFINE_multi_string(
    flag_name: str, default_value: Any = None, docstring: str | None = None
) -> None:
    """Defines a flag that may be given several times: a list of strings.

    >>> import hybridflow as hf
    >>> hf.flags.DEFINE_multi_string("input", "-", "What to read.")
    >>> hf.flags.FLAGS(["program", "--input=a", "--input=b"])
    ['program']
    >>> hf.flags.FLAGS.input
    ['a', 'b']
    """
    _define_multi(flag_name, default_value, docstring, type=str)


@_absl
def DEFINE_multi_integer(
    flag_name: str, default_value: Any = None, docstring: str | None = None
) -> None:
    """`DEFINE_multi_string` for integers."""
    _define_multi(flag_name, default_value, docstring, type=int)


@_absl
def DEFINE_multi_float(
    flag_name: str, default_value: Any = None, docstring: str | None = None
) -> None:
    """`DEFINE_multi_string` for floats."""
    _define_multi(flag_name, default_value, docstring, type=float)


@_absl
def DEFINE_multi_enum(
    flag_name: str,
    default_value: Any = None,
    enum_values: Sequence[str] = (),
    docstring: str | None = None,
) -> None:
    """`DEFINE_multi_string` for strings that are some of several."""
    _define_multi(flag_name, default_value, docstring, type=str, choices=list(enum_values))


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
