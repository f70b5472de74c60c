"""The file of a run, one question a line: appended as questions are done, so that a stopped run goes on."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from app.core.errors import InvalidDataset, StorageError
from app.core.files import write_whole
from app.core.ledger import ModelCall
from app.core.types import Usage
from app.evaluation.records import Cited, Given, Hop, Ranking, Record

Raw = dict[str, Any]


class RecordFile:
    """The records of one run; `failed` ones are made again. One process at a time may write it."""

    def __init__(self, path: Path) -> None:
        """Lock the file and read what it holds; a last line that was cut off is let go.

        Raises:
            StorageError: another process writes it.
            InvalidDataset: a line is no record.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise StorageError(f"{path}: another run writes it; wait for it") from error
        try:
            self._raw = read_raw(path) if path.exists() else {}
            write_whole(path, "".join(_line(raw) for raw in self._raw.values()))
            self._stream = path.open("a", encoding="utf-8")
        except BaseException:
            self._lock.release()
            raise

    def raw(self) -> Mapping[str, Raw]:
        """Return the records by question, in the order in which they were made."""
        return dict(self._raw)

    def extend(self, raws: Sequence[Raw]) -> None:
        """Write records, on the disk when this returns."""
        self._stream.writelines(_line(raw) for raw in raws)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._raw |= {raw["query_id"]: raw for raw in raws}

    def lines(self) -> dict[str, int]:
        """Return the line of each question, from 1."""
        return {query_id: number for number, query_id in enumerate(self._raw, start=1)}

    def close(self) -> None:
        """Unlock the file."""
        self._stream.close()
        self._lock.release()


def _line(raw: Raw) -> str:
    return json.dumps(raw, ensure_ascii=False) + "\n"


def read_raw(path: Path) -> dict[str, Raw]:
    """Return the records that need not be made again, by question.

    Raises:
        InvalidDataset: a line is no record.
    """
    found: dict[str, Raw] = {}
    *lines, _torn = path.read_bytes().split(b"\n")  # a whole line ends with a line break
    for number, line in enumerate(lines, start=1):
        try:
            raw = json.loads(line)
            if not has_failed(raw):
                found[raw["query_id"]] = raw
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            problem = f"{path}: line {number} is no record of a run"
            raise InvalidDataset(f"{problem}; delete the file to begin anew") from error
    return found


def has_failed(raw: Raw) -> bool:
    """Tell whether the question was asked and the answer is a failure."""
    return bool(raw.get("answer")) and raw["answer"]["status"] in ("failed", "cancelled")


def to_record(raw: Raw) -> Record:
    """Return a line of the file as the metrics see it."""
    body = raw.get("answer")
    if body is None:
        stages = raw.get("stage_seconds", {})
        return Record(
            query_id=raw["query_id"],
            ranking=_ranking(raw["ranking"]),
            first_stage=_ranking(raw["first_stage"]) if raw.get("first_stage") is not None else None,
            degraded=raw.get("degraded"),
            calls=tuple(_call(call) for call in raw.get("calls", ())),
            stage_seconds=stages,
            seconds=sum(stages.values()),
        )
    steps = (body.get("trace") or {}).get("steps", [])
    hops = tuple(_hop(step["details"]) for step in steps if step["node"] == "search" and "query" in step["details"])
    return Record(
        query_id=raw["query_id"],
        ranking=reading_order(hops),
        given=_given(body, raw["cited_passages"]),
        hops=hops,
        calls=tuple(_call(call) for step in steps for call in step["calls"]),
        stage_seconds=_seconds_by_node(steps),
        seconds=sum(step["seconds"] for step in steps),
    )


def reading_order(hops: tuple[Hop, ...]) -> Ranking:
    """Return the documents that an agent read, hop by hop, then those it only found; scores fall by 1 from 0."""
    order = [doc_id for hop in hops for doc_id in hop.read] + [doc_id for hop in hops for doc_id in hop.found]
    return tuple((doc_id, float(-place)) for place, doc_id in enumerate(dict.fromkeys(order)))


def _ranking(rows: list[list[Any]]) -> Ranking:
    return tuple((str(doc_id), float(score)) for doc_id, score in rows)


def _hop(details: Mapping[str, Any]) -> Hop:
    read = tuple(dict.fromkeys(hit["doc_id"] for hit in details["hits"]))
    return Hop(query=details["query"], found=tuple(details["found"]), read=read)


def _given(body: Mapping[str, Any], passages: Mapping[str, str]) -> Given:
    return Given(
        status=body["status"],
        short=body.get("short", ""),
        text=body.get("text", ""),
        confidence=body.get("confidence"),
        cited=tuple(
            Cited(
                marker=one["marker"],
                doc_id=one["doc_id"],
                quote=one["quote"],
                passage=passages.get(one["passage_id"], ""),
            )
            for one in body.get("citations", ())
        ),
        noted=tuple(dict.fromkeys(note["doc_id"] for note in body.get("notes", ()))),
    )


def _call(call: Mapping[str, Any]) -> ModelCall:
    return ModelCall(**{**call, "usage": Usage(**call["usage"])})


def _seconds_by_node(steps: list[Mapping[str, Any]]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for step in steps:
        seconds[step["node"]] = seconds.get(step["node"], 0.0) + step["seconds"]
    return seconds
