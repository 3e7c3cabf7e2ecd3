"""Flags of the command line."""

from __future__ import annotations

from hybridflow import _deferred

with _deferred.imports_of(__name__):
    from hybridflow._src.platform.flags import (
        FLAGS,
        DEFINE_bool,
        DEFINE_boolean,
        DEFINE_enum,
        DEFINE_enum_class,
        DEFINE_float,
        DEFINE_integer,
        DEFINE_list,
        DEFINE_multi_enum,
        DEFINE_multi_float,
        DEFINE_multi_integer,
        DEFINE_multi_string,
        DEFINE_spaceseplist,
        DEFINE_string,
        mark_flag_as_required,
        mark_flags_as_required,
    )

__all__ = [
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_enum_class",
    "DEFINE_list",
    "DEFINE_multi_enum",
    "DEFINE_multi_float",
    "DEFINE_multi_integer",
    "DEFINE_multi_string",
    "DEFINE_spaceseplist",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_string",
    "FLAGS",
    "mark_flag_as_required",
    "mark_flags_as_required",
]
