"""What the page knows of the server: its REST API, typed, and nothing else of Gnomon."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from httpx_sse import connect_sse
from pydantic import BaseModel, TypeAdapter

from app.api.schemas import (
    AnswerBody,
    CollectionBody,
    CollectionList,
    ConversationBody,
    ConversationList,
    ConversationSummary,
    DocumentBody,
    DocumentList,
    JobBody,
    PendingAnswer,
    RerankerList,
    TimeRequest,
)
from app.core.types import Passage

DEFAULT_API = "http://127.0.0.1:8420"
SECONDS = 20.0
ANY_TIME = TimeRequest()

Event = Mapping[str, Any]
T = TypeVar("T", bound=BaseModel)

_PASSAGE = TypeAdapter(Passage)


class ApiError(Exception):
    """The server refused, or is not there; the message is one line for the reader of the page."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Client:
    """A connection to the API; safe to use from several threads."""

    def __init__(self, address: str = DEFAULT_API, *, token: str | None = None) -> None:
        self.address = address.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=self.address, headers=headers, timeout=SECONDS, trust_env=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Client":
        """Return a client of the server that `GNOMON_API` names."""
        return cls(environment.get("GNOMON_API") or DEFAULT_API, token=environment.get("GNOMON_SERVER__TOKEN"))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def collections(self) -> list[CollectionBody]:
        """Return all collections by name."""
        return self._get(CollectionList, "/v1/collections").collections

    def rerankers(self) -> RerankerList:
        """Return what can order the hits of a question, and what does so unless another is named."""
        return self._get(RerankerList, "/v1/rerankers")

    def create_collection(self, collection_id: str) -> CollectionBody:
        """Return a new, empty collection."""
        response = self._send("POST", "/v1/collections", json={"collection_id": collection_id})
        return CollectionBody.model_validate_json(response.content)

    def documents(self, collection: str) -> list[DocumentBody]:
        """Return the documents of a collection with their states."""
        return self._get(DocumentList, f"/v1/collections/{collection}/documents").documents

    def upload(self, collection: str, files: Sequence[tuple[str, bytes]]) -> JobBody:
        """Return the job that works on the files."""
        response = self._send(
            "POST", f"/v1/collections/{collection}/documents", files=[("files", file) for file in files]
        )
        return JobBody.model_validate_json(response.content)

    def job(self, job_id: str) -> JobBody:
        """Return a job as it stands."""
        return self._get(JobBody, f"/v1/jobs/{job_id}")

    def passage(self, collection: str, passage_id: str) -> Passage | None:
        """Return a passage, or None when its document was changed since."""
        try:
            response = self._send("GET", f"/v1/collections/{collection}/passages/{quote(passage_id, safe='')}")
        except ApiError as error:
            if error.code == "not_found":
                return None
            raise
        return _PASSAGE.validate_json(response.content)

    def begin_conversation(self) -> str:
        """Return the id of a new conversation."""
        response = self._send("POST", "/v1/conversations")
        return ConversationSummary.model_validate_json(response.content).conversation_id

    def conversations(self, limit: int) -> list[ConversationSummary]:
        """Return the newest conversations."""
        return self._get(ConversationList, f"/v1/conversations?limit={limit}").conversations

    def conversation(self, conversation_id: str) -> ConversationBody:
        """Return a conversation with its turns."""
        return self._get(ConversationBody, f"/v1/conversations/{quote(conversation_id, safe='')}")

    def delete_conversation(self, conversation_id: str) -> None:
        """Remove a conversation with its answers."""
        self._send("DELETE", f"/v1/conversations/{quote(conversation_id, safe='')}")

    def ask(
        self,
        question: str,
        *,
        collection: str,
        time: TimeRequest = ANY_TIME,
        reranker: str | None = None,
        effort: str | None = None,
        conversation_id: str | None = None,
    ) -> str:
        """Return the id of a new answer, which the server works on whether or not anybody watches."""
        body = {
            "question": question,
            "collection": collection,
            "time": time.model_dump(mode="json", by_alias=True),
            "reranker": reranker,
            "effort": effort,
            "conversation_id": conversation_id,
        }
        response = self._send("POST", "/v1/answers", json=body, headers={"Prefer": "respond-async"})
        return PendingAnswer.model_validate_json(response.content).answer_id

    def answer(self, answer_id: str) -> AnswerBody | PendingAnswer:
        """Return an answer, or where it stands."""
        response = self._send("GET", f"/v1/answers/{quote(answer_id, safe='')}")
        kind = PendingAnswer if "state" in response.json() else AnswerBody
        return kind.model_validate_json(response.content)

    def cancel(self, answer_id: str) -> None:
        """Ask for an answer to be stopped."""
        self._send("POST", f"/v1/answers/{quote(answer_id, safe='')}/cancel")

    def events(self, answer_id: str, *, after: int = 0, seconds: float = 0.5) -> list[Event]:
        """Return the events after `after` that come within the given seconds; `done` ends the wait."""
        found: list[Event] = []
        path = f"/v1/answers/{quote(answer_id, safe='')}/events"
        headers = {"Last-Event-ID": str(after)}
        ends = time.monotonic() + seconds
        try:
            timeout = httpx.Timeout(SECONDS, read=seconds)
            with connect_sse(self._http, "GET", path, headers=headers, timeout=timeout) as source:
                _check(source.response)
                for event in source.iter_sse():
                    found.append(event.json())
                    if time.monotonic() >= ends:
                        break
        except httpx.ReadTimeout:
            return found  # nothing more for now; the next call goes on from here
        except httpx.TransportError as error:
            raise self._away() from error
        return found

    def _get(self, kind: type[T], path: str) -> T:
        return kind.model_validate_json(self._send("GET", path).content)

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._away() from error
        _check(response)
        return response

    def _away(self) -> ApiError:
        return ApiError(f"No Gnomon server answers at {self.address}. Start one with: gnomon serve", code="unreachable")


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        problem = response.json()
        detail, code = str(problem["detail"]), str(problem["code"])
    except (ValueError, KeyError, TypeError):
        detail, code = f"the server answered {response.status_code}", "unknown"
    raise ApiError(detail, code=code)
