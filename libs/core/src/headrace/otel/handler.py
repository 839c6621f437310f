"""A listener that makes spans and metrics of requests to models and of calls of tools."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import context, metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from headrace.callbacks import ModelRequest
from headrace.callbacks.usage import outcome
from headrace.otel import names
from headrace.otel.attributes import Attributes, answered, asked, failure, identity
from headrace.otel.content import as_json, definitions, input_messages, output_messages

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from headrace.engine.events import Event, EventKind

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_OPERATIONS = {"chat_model": "chat", "embedding": "embeddings"}
_ON_SPANS = frozenset({"true", "1", "span_only", "span_and_event"})


@dataclass(slots=True)
class _Run:
    """A run under way: its span if it has one, and what its children are children of."""

    context: Context
    seen: Span  # what was current as it started, whoever made it
    span: Span | None = None
    identity: Attributes | None = None
    before: Context | None = None  # to be current again when it ends
    begun: float = 0.0


class OpenTelemetryHandler:
    """Spans and metrics by the GenAI conventions; give it as a callback, or use `instrument`.

    `capture_content`: whether spans hold messages, arguments and results; by default what the
    environment says. Providers are the global ones where none are given.
    """

    wants: frozenset[EventKind] = frozenset({"started", "ended", "failed", "noted"})
    raise_errors = False

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        capture_content: bool | None = None,
    ) -> None:
        said = os.environ.get(CAPTURE, "").strip().lower() in _ON_SPANS
        self.captures = said if capture_content is None else capture_content
        self._tracer = trace.get_tracer("headrace", tracer_provider=tracer_provider)
        meter = metrics.get_meter("headrace", meter_provider=meter_provider)
        self._seconds = {
            name: meter.create_histogram(
                name, "s", told, explicit_bucket_boundaries_advisory=names.SECOND_BUCKETS
            )
            for name, told in _SECONDS.items()
        }
        self._tokens = meter.create_histogram(
            names.TOKEN_USAGE, "{token}", "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=names.TOKEN_BUCKETS,
        )  # fmt: skip
        self._runs: dict[str, _Run] = {}

    def handle(self, event: Event) -> None:
        match event.kind:
            case "started":
                self._start(event)
            case "noted":
                self._note(event)
            case _:
                self._end(event)

    def _start(self, event: Event) -> None:
        now = context.get_current()
        seen, inside = trace.get_current_span(now), now
        above = self._runs.get(event.parent_ids[-1]) if event.parent_ids else None
        # Nobody opened a span since the parent started, or the context got lost on the way.
        if above and (seen is above.seen or not seen.get_span_context().is_valid):
            inside = above.context
        run = self._runs[event.run_id] = _Run(inside, seen, begun=time.perf_counter())
        if not self._open(event, run):
            return
        assert run.span is not None
        run.context = trace.set_span_in_context(run.span, inside)
        if not event.payload.get("streamed"):
            # Not across the chunks of a stream: between them its reader's code runs.
            run.before = now
            context.attach(run.context)

    def _open(self, event: Event, run: _Run) -> bool:
        """Gives the run a span, if it is of a kind that has one."""
        request = event.payload.get("request")
        if isinstance(request, ModelRequest) and event.run_type in _OPERATIONS:
            operation = _OPERATIONS[event.run_type]
            run.identity = identity(operation, request)
            attributes = {**run.identity, **asked(request, event)}
            if self.captures and event.run_type == "chat_model":
                attributes[names.INPUT_MESSAGES] = as_json(input_messages(request.messages))
                if request.tools:
                    attributes[names.TOOL_DEFINITIONS] = as_json(definitions(request.tools))
            name, kind = f"{operation} {request.model}", SpanKind.CLIENT
        elif event.run_type == "tool":
            run.identity = {names.OPERATION: "execute_tool", names.TOOL_NAME: event.name}
            attributes = {**run.identity, **self._called(event.payload["input"])}
            name, kind = f"execute_tool {event.name}", SpanKind.INTERNAL
        elif not event.parent_ids:  # a pipeline: what holds its requests together
            attributes = {names.OPERATION: "invoke_workflow", names.WORKFLOW: event.name}
            name, kind = f"invoke_workflow {event.name}", SpanKind.INTERNAL
        else:
            return False
        run.span = self._tracer.start_span(name, run.context, kind, attributes)
        return True

    def _called(self, input: Any) -> Attributes:
        found: Attributes = {names.TOOL_TYPE: "function"}
        is_call = isinstance(input, Mapping) and input.get("type") == "tool_call"
        if is_call and input.get("id"):
            found[names.TOOL_CALL_ID] = str(input["id"])
        if self.captures and input is not None:
            found[names.TOOL_ARGUMENTS] = as_json(input["args"] if is_call else input)
        return found

    def _note(self, event: Event) -> None:
        run = self._runs.get(event.run_id)
        if run is None or run.span is None or event.payload.get("custom"):
            return
        if event.payload["name"] == "retry":
            data = event.payload["data"]
            about: Attributes = {"attempt": int(data["attempt"]), "wait_s": float(data["wait_s"])}
            run.span.add_event("retry", {**about, names.ERROR_TYPE: failure(data["error"])})

    def _end(self, event: Event) -> None:
        run = self._runs.pop(event.run_id, None)
        if run is None or run.span is None:
            return
        try:
            if run.identity is None:
                if (error := event.payload.get("error")) is not None:
                    _failed(run.span, failure(error), str(error))
            elif event.run_type == "tool":
                self._tool_ended(event, run.span, run.identity, run.begun)
            else:
                self._model_ended(event, run.span, run.identity, run.begun)
        finally:
            run.span.end()
            if run.before is not None and trace.get_current_span() is run.span:
                context.attach(run.before)

    def _tool_ended(self, event: Event, span: Span, about: Attributes, begun: float) -> None:
        error = event.payload.get("error")
        output = event.payload.get("output")
        if error is not None:
            about = {**about, **_failed(span, failure(error), str(error))}
        elif getattr(output, "status", None) == "error":  # told to the model, not raised
            about = {**about, **_failed(span, "ToolError", str(getattr(output, "text", "")))}
        if self.captures and output is not None:
            span.set_attribute(names.TOOL_RESULT, as_json(getattr(output, "content", output)))
        self._seconds[names.TOOL_DURATION].record(time.perf_counter() - begun, about)

    def _model_ended(self, event: Event, span: Span, about: Attributes, begun: float) -> None:
        error = event.payload.get("error")
        answer = event.payload.get("output") or getattr(error, "partial", None)
        usage, said = outcome(event)
        if event.run_type == "embedding" and usage:  # they have no output to count
            usage = {"input_tokens": usage.get("input_tokens", 0)}
        told = answered(answer, usage)
        first = said.get("first_chunk_s")
        streamed = event.payload["request"].streamed
        if streamed and first is not None:
            told[names.FIRST_CHUNK] = float(first)
        if self.captures and event.run_type == "chat_model" and answer is not None:
            told[names.OUTPUT_MESSAGES] = as_json(output_messages(answer))
        span.set_attributes(told)
        if names.RESPONSE_MODEL in told:
            about = {**about, names.RESPONSE_MODEL: told[names.RESPONSE_MODEL]}
        ended = dict(about)
        if error is not None:
            ended.update(_failed(span, failure(error), str(error)))
        self._seconds[names.DURATION].record(time.perf_counter() - begun, ended)
        if streamed and first is not None:
            self._seconds[names.TIME_TO_FIRST_CHUNK].record(float(first), about)
        if usage and not said.get("cached"):
            self._count(usage, about)

    def _count(self, usage: Mapping[str, Any], about: Attributes) -> None:
        for kind in ("input", "output"):
            if (tokens := usage.get(f"{kind}_tokens")) is not None:
                self._tokens.record(tokens, {**about, names.TOKEN_TYPE: kind})

    def __repr__(self) -> str:
        return f"OpenTelemetryHandler(capture_content={self.captures})"


_SECONDS = {
    names.DURATION: "GenAI operation duration.",
    names.TIME_TO_FIRST_CHUNK: "Time to receive the first chunk of a stream.",
    names.TOOL_DURATION: "Duration of a tool's execution.",
}


def _failed(span: Span, kind: str, message: str) -> Attributes:
    """Marks a span as failed; the attribute that says how."""
    span.set_status(Status(StatusCode.ERROR, message))
    span.set_attribute(names.ERROR_TYPE, kind)
    return {names.ERROR_TYPE: kind}
