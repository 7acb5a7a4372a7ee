"""`GET /feedback`, `POST /feedback/import`: all feedback as a stream, out and in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.requests import ClientDisconnect

from service.errors import HungUp, InvalidField
from service.http.api_route import ApiRoute
from service.http.problem_details import problem_of, problem_of_fields
from service.http.problems import document_problems
from service.live import store
from service.live.events import NOTHING_DONE, Event, Outcome, StoredEvent
from service.live.feedback_writer import Session
from service.live.live_feedback import LiveFeedback
from service.live.record_stream import CsvRows, JsonLines, RecordStream
from service.recommending.recommender import Recommender
from service.routes.dependencies import FromServices, LiveRecommender, Services
from service.routes.feedback_routes import in_time, refusal, required_feedback
from service.schemas.batches import Refused
from service.schemas.imported_feedback import (
    IMPORTED_NAMES,
    IMPORTED_REQUIRED,
    MOST_REJECTED,
    ExportParameters,
    ImportAnswer,
    ImportParameters,
    parse_records,
)

router = APIRouter(route_class=ApiRoute, tags=["feedback"])

RECORDS_PER_COMMIT = 5_000
"""Others that write wait for one of these at most: tens of milliseconds."""
EVENTS_PER_CHUNK = 2_000

NDJSON, CSV = "application/x-ndjson", "text/csv"
_BODY = {
    "required": True,
    "content": {
        kind: {"schema": {"type": "string", "maxLength": 2**40, "description": described, "example": example}}
        for kind, described, example in (
            (NDJSON, "An event a line.", '{"user_id": "ann", "movie_id": "50", "type": "watch"}\n'),
            (CSV, "An event a row, below a row of names.", "user_id,movie_id,type,value\nann,50,rating,5\n"),
        )
    },
}


_EXPORT = {
    200: {"description": "Lines of JSON.", "content": {NDJSON: {"schema": {"type": "string"}}}},
    **document_problems(403, 503, 504),
}


@router.get("/feedback", response_class=StreamingResponse, responses=_EXPORT)
async def export_feedback(
    parameters: Annotated[ExportParameters, Query()], services: FromServices
) -> StreamingResponse:
    """All that is stored, in the order of positions, as lines that `/feedback/import` reads.

    Of each user, movie and type the latest; every click and impression.
    """
    feedback = required_feedback(services)
    # Before the answer begins: what fails here is a problem, later it only cuts the stream.
    first = await _exported(services, feedback, parameters.cursor, min(EVENTS_PER_CHUNK, parameters.k))

    async def lines() -> AsyncIterator[bytes]:
        part, left = first, parameters.k
        while part:
            yield b"".join(_line(each) for each in part)
            left -= len(part)
            if left <= 0 or len(part) < EVENTS_PER_CHUNK:
                return
            part = await _exported(services, feedback, part[-1].position, min(EVENTS_PER_CHUNK, left))

    return StreamingResponse(lines(), media_type=NDJSON)


@router.post(
    "/feedback/import",
    response_model=ImportAnswer,
    responses=document_problems(403, 413, 503, 504),
    openapi_extra={"requestBody": _BODY},
)
async def import_feedback(
    request: Request,
    parameters: Annotated[ImportParameters, Query()],
    recommender: LiveRecommender,
    services: FromServices,
) -> JSONResponse:
    """Events as a stream of NDJSON or CSV of any length, committed in parts while it comes.

    Where the stream breaks, what was committed stays; sent again with the same `import_id` it goes on there.
    """
    feedback = required_feedback(services)
    records = _stream_of(request)
    running = _Import(services, feedback, recommender, parameters.import_id)
    await running.begin()
    try:
        async for chunk in request.stream():
            records.feed(chunk)
            while (part := records.take(RECORDS_PER_COMMIT)) is not None:
                await running.add(part)
    except ClientDisconnect as error:
        raise HungUp("the client hung up before the end of its stream") from error
    while part := records.take(RECORDS_PER_COMMIT, at_end=True):
        await running.add(part)
    return JSONResponse(await running.answer())


def _stream_of(request: Request) -> RecordStream:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {NDJSON, "application/ndjson", "application/jsonl"}:
        return JsonLines()
    if kind == CSV:
        return CsvRows(IMPORTED_NAMES, IMPORTED_REQUIRED)
    raise InvalidField(
        f"expected Content-Type: {NDJSON} or {CSV}, got {kind or 'none'}", field="content-type"
    )


class _Import:
    """One stream's records so far."""

    def __init__(
        self, services: Services, feedback: LiveFeedback, recommender: Recommender, import_id: str | None
    ) -> None:
        self._services = services
        self._feedback = feedback
        self._recommender = recommender
        self._import_id = import_id
        self._before = 0
        self._records = 0
        self._outcome = NOTHING_DONE
        self._num_rejected = 0
        self._rejected: list[dict[str, Any]] = []

    async def begin(self) -> None:
        """Find out how much was stored before."""
        if (import_id := self._import_id) is not None:
            self._before = await self._services.catalogue_threads.run(
                lambda: self._feedback.query(lambda connection: store.records_imported(connection, import_id))
            )

    async def add(self, part: Sequence[bytes] | Sequence[dict[str, str]]) -> None:
        """Commit the next records, but for those that were stored before."""
        first = self._records
        self._records += len(part)
        part = part[max(self._before - first, 0) :]
        if not part:
            return
        events = await to_thread.run_sync(self._checked, part, self._records - len(part))
        end = self._records

        def write(session: Session) -> Outcome:
            changes = self._feedback.apply(session, events)
            if self._import_id is not None:
                store.note_import(session.connection, self._import_id, end)
            return changes.outcome(slice(None))

        outcome = await in_time(self._services, lambda: self._feedback.do(write))
        self._services.telemetry.feedback(events, outcome, len(part) - len(events))
        self._outcome += outcome

    async def answer(self) -> dict[str, Any]:
        """An `ImportAnswer`."""
        position = self._outcome.position or await self._services.catalogue_threads.run(
            self._feedback.position
        )
        return {
            "records": self._records,
            "skipped": min(self._before, self._records),
            "stored": self._outcome.stored,
            "unchanged": self._outcome.unchanged,
            "superseded": self._outcome.superseded,
            "num_rejected": self._num_rejected,
            "rejected": self._rejected,
            "position": position,
        }

    def _checked(self, part: Sequence[bytes] | Sequence[dict[str, str]], first: int) -> list[Event]:
        events = []
        for record, each in enumerate(parse_records(part), first):
            place = f"body.{record}"
            if isinstance(each, Refused):
                self._reject(record, problem_of_fields(each.errors, ("body", record)))
            elif error := refusal(each, self._recommender, strict=False):
                self._reject(record, problem_of(error, place))
            else:
                events.append(each.to_event())
        return events

    def _reject(self, record: int, problem: dict[str, Any]) -> None:
        self._num_rejected += 1
        if len(self._rejected) < MOST_REJECTED:
            self._rejected.append({"record": record, "error": problem})


async def _exported(
    services: Services, feedback: LiveFeedback, position: int, most: int
) -> list[StoredEvent]:
    return await services.catalogue_threads.run(
        lambda: feedback.query(lambda connection: store.export_after(connection, position, most))
    )


def _line(each: StoredEvent) -> bytes:
    return json.dumps(each.document(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
