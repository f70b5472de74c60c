"""How a checkpoint is written: JSON that gives records, tuples and dates back as they were.

langgraph's own format makes lists of tuples, and plain data of a record whose fields have other names by now.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from app.core.errors import StaleCheckpoint

_PLAIN = (str, int, float, type(None))


class RecordFormat:
    """Writes the records that it was given and no others; implements langgraph's serializer."""

    def __init__(self, records: Iterable[type], *, made_with: str) -> None:
        """Take the record types, and what else must be the same for a checkpoint to be of use."""
        self._fields = {record: tuple(field.name for field in fields(record)) for record in records}
        self._records = {name_of(record): record for record in self._fields}
        self._stamp = _stamp(self._records, made_with)
        self._decoders: dict[str, Callable[[Any], Any]] = {
            "tuple": tuple,
            "date": date.fromisoformat,
            "map": dict,
            "record": self._record,
        }

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the stamp of this format and the bytes.

        Raises:
            TypeError: a value is neither plain data, a tuple, a date nor a record.
        """
        return self._stamp, json.dumps(self._encoded(obj), separators=(",", ":")).encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return what was written.

        Raises:
            StaleCheckpoint: it bears another stamp, or cannot be read.
        """
        stamp, content = data
        if stamp != self._stamp:
            raise StaleCheckpoint("the checkpoint was written by another version of Gnomon or under other settings")
        try:
            return json.loads(content, object_hook=self._decoded)
        except (ValueError, TypeError, LookupError) as error:
            raise StaleCheckpoint(f"the checkpoint cannot be read: {error}") from error

    def _encoded(self, value: Any) -> Any:
        if isinstance(value, _PLAIN):
            return value
        if names := self._fields.get(type(value)):
            return {"record": [name_of(type(value)), [self._encoded(getattr(value, name)) for name in names]]}
        if isinstance(value, tuple):
            return {"tuple": [self._encoded(item) for item in value]}
        if isinstance(value, list):
            return [self._encoded(item) for item in value]
        if isinstance(value, Mapping):
            return {"map": [[self._encoded(key), self._encoded(item)] for key, item in value.items()]}
        if type(value) is date:
            return {"date": value.isoformat()}
        raise TypeError(f"a checkpoint cannot hold a {name_of(type(value))}")

    def _decoded(self, tagged: Mapping[str, Any]) -> Any:
        ((tag, body),) = tagged.items()
        return self._decoders[tag](body)

    def _record(self, body: tuple[str, list[Any]]) -> Any:
        record = self._records[body[0]]
        return record(**dict(zip(self._fields[record], body[1], strict=True)))


def name_of(record: type) -> str:
    """Return what names a type: module and name."""
    return f"{record.__module__}.{record.__qualname__}"


def _stamp(records: Mapping[str, type], made_with: str) -> str:
    """Return the SHA-256 of the shapes of all records and of `made_with`."""
    shapes = {
        name: [(f.name, str(f.type)) for f in fields(record)]
        for name, record in records.items()
        if is_dataclass(record)
    }
    return sha256(json.dumps([shapes, made_with], sort_keys=True).encode()).hexdigest()
