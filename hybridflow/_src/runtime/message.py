"""Objects in place of TensorFlow's protocol buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hybridflow._src.formats import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Repeated(list[Any]):
    """A list of messages of one class.

    Args:
      kind: the class.
    """

    def __init__(self, kind: type[Message], items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self._kind = kind

    @staticmethod
    def of(kind: type[Message]) -> Callable[[], Repeated]:
        """What makes such a list, empty."""
        return lambda: Repeated(kind)

    def add(self, **fields: Any) -> Message:
        """Appends a new message, and gives it."""
        self.append(self._kind(**fields))
        found: Message = self[-1]
        return found


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
        known = self.__dict__.get(name)
        if isinstance(known, Repeated) and not isinstance(value, Repeated):
            value = Repeated(known._kind, value)
        object.__setattr__(self, name, value)

    def HasField(self, field_name: str) -> bool:
        """Tells whether a field has something else than its default.

        Raises:
          ValueError: if there is no such field.
        """
        if field_name not in self._fields:
            raise ValueError(f"Protocol message {type(self).__name__} has no {field_name!r} field.")
        default = self._fields[field_name]
        return bool(getattr(self, field_name) != (default() if callable(default) else default))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def SerializeToString(self) -> bytes:
        """It as TensorFlow's protocol buffer of this name, serialized."""
        data: bytes = self._as_proto().SerializeToString()
        return data

    def ParseFromString(self, serialized: bytes) -> int:
        """Takes what a serialized protocol buffer of this name holds; gives how long that is.

        Raises:
          DecodeError: of the protobuf library, if it is none.
        """
        proto = getattr(messages, type(self).__name__)()
        size: int = proto.ParseFromString(serialized)
        self._take(proto)
        return size

    @classmethod
    def FromString(cls, s: bytes) -> Any:
        """A message of what a serialized protocol buffer of this name holds.

        Raises:
          DecodeError: of the protobuf library, if it is none.
        """
        found = cls()
        found.ParseFromString(s)
        return found

    def CopyFrom(self, other_msg: Any) -> None:
        """Becomes what another message of its kind is."""
        self.ParseFromString(other_msg.SerializeToString())

    def _take(self, proto: Any) -> None:
        """Takes the fields of a protocol buffer."""
        for name, default in self._fields.items():
            value = default() if callable(default) else default
            given = getattr(proto, name, value)
            if isinstance(value, Message):
                value._take(given)
            elif isinstance(value, Repeated):
                for item in given:
                    value.add()._take(item)
            elif isinstance(value, (dict, list)):
                value = type(value)(given)
            else:
                value = given if value is not None or proto.HasField(name) else None
            object.__setattr__(self, name, value)

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
