"""Answer the queries of a request by the batcher, as responses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from fastapi import Request, Response

from service.batching.answering import EncodedAnswers
from service.errors import DeadlineExceeded, QueueFull, RequestError, UnknownTitle
from service.http.json_answer import JsonAnswer
from service.http.problem_details import problem_of, problem_of_fields
from service.recommending.encoding import Encoded
from service.recommending.queries import Query
from service.routes.dependencies import services_of
from service.schemas.batches import Refused
from service.telemetry.recording import BUNDLE_ID_IN_SCOPE

MOST_TITLES = 20
"""Unknown titles of one batch that are searched for, each in milliseconds: it may name a thousand."""


async def _ask(request: Request, queries: Sequence[Query]) -> EncodedAnswers:
    answers = await services_of(request).batcher.ask(queries, request.is_disconnected)
    request.scope[BUNDLE_ID_IN_SCOPE] = answers.bundle_id
    return answers


async def answer_one(request: Request, query: Query) -> Response:
    """The response to one query.

    Raises:
        RequestError: The query cannot be answered as asked.
        BundleError, QueueFull, DeadlineExceeded, HungUp: See `service.batching.lane.Lane.ask`.
    """
    [encoded] = (await _ask(request, [query])).encoded
    if isinstance(encoded, RequestError):
        await _suggest(request, [encoded])
        raise encoded
    return JsonAnswer(encoded)


async def answer_batch(
    request: Request, elements: Sequence[Query | Refused], *, given: str, returned: str
) -> Response:
    """The response to the elements of a batch, with a problem in the place of each that is wrong.

    Args:
        request: Of the client.
        elements: Queries, and what was refused before it could be one; at least one.
        given: Name of the field that has the elements.
        returned: Name of the field that takes the answers.

    Raises:
        BundleError, QueueFull, DeadlineExceeded, HungUp: See `service.batching.lane.Lane.ask`.
    """
    queries = [each for each in elements if not isinstance(each, Refused)]
    encoded = (await _ask(request, queries)).encoded if queries else []
    await _suggest(request, encoded)
    left = iter(encoded)
    answers: list[bytes] = []
    for place, each in enumerate(elements):
        answer = each if isinstance(each, Refused) else next(left)
        if isinstance(answer, bytes):
            answers.append(answer)
        elif isinstance(answer, Refused):
            answers.append(_problem_json(problem_of_fields(answer.errors, ("body", given, place))))
        else:
            answers.append(_problem_json(problem_of(answer, f"body.{given}.{place}")))
    # The brackets are put to the first and the last, so that what may be a megabyte is copied once.
    answers[0] = b'{"%b":[%b' % (returned.encode(), answers[0])
    answers[-1] += b"]}"
    return JsonAnswer(b",".join(answers))


async def _suggest(request: Request, encoded: Sequence[Encoded]) -> None:
    unknown = [each for each in encoded if isinstance(each, UnknownTitle)]
    # Suggestions help, and are no answer: where too many wait for a search, there are none.
    with suppress(QueueFull, DeadlineExceeded):
        for each in unknown[:MOST_TITLES]:
            # One at a time, so that others' searches come in between.
            await services_of(request).catalogue_threads.run(each.suggest, stage="title_search")


def _problem_json(problem: object) -> bytes:
    return json.dumps({"error": problem}, separators=(",", ":")).encode()
