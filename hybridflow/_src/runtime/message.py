"""Objects in place of TensorFlow's protocol buffers."""

from __future__ import annotations

from typing import Any, ClassVar

from hybridflow._src.formats import messages


class Message:
    """An object with declared fields and defaults, some of them messages too."""

    _fields: ClassVar[dict[str, Any]] = {}

    def __init__(self, **fields: Any) -> None:
        for name, default in self._fields.items():
            object.__setattr__(self, name, default() if callable(default) else default)
        for name, value in fields.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._fields:
            raise AttributeError(f"Protocol message {type(self).__name__} has no {name!r} field.")
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def SerializeToString(self) -> bytes:
        """It as TensorFlow's protocol buffer of this name, serialized."""
        data: bytes = self._as_proto().SerializeToString()
        return data

    def _as_proto(self) -> Any:
        proto = getattr(messages, type(self).__name__)()
        for name, value in vars(self).items():
            field = proto.DESCRIPTOR.fields_by_name[name]
            if isinstance(value, Message):
                getattr(proto, name).CopyFrom(value._as_proto())
            elif isinstance(value, list):
                items = [x._as_proto() if isinstance(x, Message) else x for x in value]
                getattr(proto, name).extend(items)
            elif value is not None:
                # Times have parts of microseconds here.
                whole = field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64)
                setattr(proto, name, round(value) if whole else value)
        return proto

    def __repr__(self) -> str:
        changed = [
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if value != (d() if callable(d := self._fields[name]) else d)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"
