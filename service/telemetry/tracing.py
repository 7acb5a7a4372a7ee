"""OpenTelemetry traces, where `MATINEE_TRACING=otlp`: a span for each request and for each stage of its work.

FastAPI makes the spans of requests, around all middlewares, with a provider of ours instead of a global one.
It puts paths and query strings, which may hold user ids, into attributes: they are overwritten before export.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import TYPE_CHECKING

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

from service.telemetry.metrics import Telemetry
from service.telemetry.observer import Endpoint, SearchStage, Stage

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

NO_TRACING = TelemetryConfig(
    tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False
)
"""FastAPI's own spans, metrics and logs would go to whatever global OpenTelemetry provider there is."""

REDACTED = "REDACTED"
_MAY_HOLD_IDS = ("url.path", "url.query")


class Tracing:
    """Export spans, by default to the OTLP endpoint that OpenTelemetry's `OTEL_*` variables name.

    Args:
        exporter: Called at the end of each span; None for the OTLP exporter, which sends from its own thread.

    Raises:
        ImportError: The extra `tracing` is not installed.
    """

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        from opentelemetry.sdk import trace as sdk  # noqa: PLC0415 an optional extra
        from opentelemetry.sdk.trace import export  # noqa: PLC0415 as above

        class Redaction(sdk.SpanProcessor):
            def on_start(self, span: sdk.Span, parent_context: object = None) -> None:  # noqa: ARG002 its interface
                for name in _MAY_HOLD_IDS:
                    if name in (span.attributes or {}):
                        span.set_attribute(name, REDACTED)

        os.environ.setdefault("OTEL_SERVICE_NAME", "matinee")
        self._provider = sdk.TracerProvider(shutdown_on_exit=False)
        self._provider.add_span_processor(Redaction())
        self._provider.add_span_processor(
            export.BatchSpanProcessor(_otlp_exporter())
            if exporter is None
            else export.SimpleSpanProcessor(exporter)
        )
        self.tracer = self._provider.get_tracer("matinee")
        self.config = NO_TRACING | TelemetryConfig(tracing=True, tracer_provider=self._provider)

    def stop(self) -> None:
        """Send spans that are not sent yet."""
        self._provider.shutdown()


class TracedTelemetry(Telemetry):
    """Count, and make a span of each stage below the request in whose context it is reported."""

    def __init__(self, worker: int, tracing: Tracing, *, flush: Callable[[], None] = lambda: None) -> None:
        super().__init__(worker, flush=flush)
        self._tracer = tracing.tracer
        self._began = threading.local()

    def choose(self, contexts: Sequence[Context]) -> Context:
        """The context of the first request that is traced, else of the first."""
        return next((context for context in contexts if context.run(_is_traced)), contexts[0])

    def queue_wait(self, seconds: float) -> None:
        """A request leaves the queue."""
        super().queue_wait(seconds)
        self._add_span("queue", seconds)

    def search(self, stage: SearchStage, seconds: float) -> None:
        """A search outside of any batch ended."""
        super().search(stage, seconds)
        self._add_span(stage, seconds)

    def _add_span(self, name: str, seconds: float) -> None:
        """A span that ends now."""
        if _is_traced():
            end = time.time_ns()
            self._tracer.start_span(name, start_time=end - int(seconds * 1e9)).end(end)

    def batch(self, endpoint: Endpoint, size: int) -> None:
        """A model call begins, in this thread."""
        super().batch(endpoint, size)
        self._began.nanoseconds = time.time_ns()
        self._began.size = size

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage ended; a batch's are reported after it, and follow each other from its beginning."""
        super().stage(stage, seconds)
        if not _is_traced():
            return
        nanoseconds = int(seconds * 1e9)
        start = getattr(self._began, "nanoseconds", time.time_ns() - nanoseconds)
        span = self._tracer.start_span(stage, start_time=start)
        span.set_attribute("matinee.batch_size", getattr(self._began, "size", 1))
        span.end(start + nanoseconds)
        self._began.nanoseconds = start + nanoseconds


def _is_traced() -> bool:
    return trace.get_current_span().is_recording()


def note_request_id(request_id: str) -> None:
    """Put a request's id, by which its log line is found, on its span."""
    trace.get_current_span().set_attribute("matinee.request_id", request_id)


def _otlp_exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 as above

    return OTLPSpanExporter()
