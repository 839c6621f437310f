"""Spans and metrics as the SDK's in-memory exporters get them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from headrace import init_embeddings, tool
from headrace.callbacks import ModelRequest
from headrace.errors import ModelRateLimitError
from headrace.messages import AIMessage, HumanMessage, SystemMessage, image
from headrace.otel import OpenTelemetryHandler, instrument, uninstrument
from headrace.otel.attributes import identity
from headrace.otel.handler import CAPTURE
from headrace.runnables import RunnableLambda, RunnableParallel
from headrace.testing import OfflineChatModel, ScriptedChatModel

USAGE: Any = {
    "input_tokens": 70, "output_tokens": 30, "total_tokens": 100,
    "input_token_details": {"cache_read": 20}, "output_token_details": {"reasoning": 10},
}  # fmt: skip
REPLY = AIMessage(
    "hello",
    id="r1",
    usage_metadata=USAGE,
    response_metadata={"model_name": "m-1", "finish_reason": "stop", "cost_usd": 0.5},
)


class Seen:
    """What was exported, and the providers behind it."""

    def __init__(self) -> None:
        self._spans, self._metrics = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._metrics])

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._spans.get_finished_spans()

    def only(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.spans if span.name == name]
        return span

    def points(self, metric: str) -> list[Any]:
        data = self._metrics.get_metrics_data()
        assert data is not None
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for one in scope.metrics
            if one.name == metric
            for point in one.data.data_points
        ]


@pytest.fixture
def seen() -> Iterator[Seen]:
    """The process instrumented, without content."""
    found = Seen()
    instrument(tracer_provider=found.tracers, meter_provider=found.meters, capture_content=False)
    yield found
    uninstrument()
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.fixture
def heard() -> Iterator[Seen]:
    """The process instrumented, with content."""
    found = Seen()
    instrument(tracer_provider=found.tracers, meter_provider=found.meters, capture_content=True)
    yield found
    uninstrument()


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def id_of(span: Any) -> int:
    return span.get_span_context().span_id


# Requests.


def test_a_request_is_a_client_span_by_the_conventions(world: Any, seen: Seen) -> None:
    model = ScriptedChatModel(
        [REPLY], temperature=0, max_tokens=9, stop=["x"], base_url="http://h:1/v1"
    )
    world.invoke(model, "hi", {"metadata": {"thread_id": 7}})
    [span] = seen.spans
    assert (span.name, span.kind, span.status.status_code) == (
        "chat scripted", SpanKind.CLIENT, StatusCode.UNSET,
    )  # fmt: skip
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "scripted",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.stop_sequences": ("x",),
        "gen_ai.conversation.id": "7",
        "server.address": "h",
        "server.port": 1,
        "gen_ai.response.id": "r1",
        "gen_ai.response.model": "m-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 70,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 10,
        "headrace.cost_usd": 0.5,
    }


def test_a_stream_says_so_and_when_its_first_chunk_came(world: Any, seen: Seen) -> None:
    world.stream(ScriptedChatModel([REPLY]), "hi")
    [span] = seen.spans
    attributes = dict(span.attributes or {})
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
    [point] = seen.points("gen_ai.client.operation.time_to_first_chunk")
    assert point.count == 1


def test_a_failed_request_is_a_failed_span_with_its_retries(world: Any, seen: Seen) -> None:
    errors = [ModelRateLimitError("slow down", retry_after=0.001) for _ in range(2)]
    with pytest.raises(ModelRateLimitError):
        world.invoke(ScriptedChatModel(errors, max_retries=1), "hi")
    [span] = seen.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "slow down")
    assert dict(span.attributes or {})["error.type"] == "ModelRateLimitError"
    [retry] = span.events
    assert (retry.name, dict(retry.attributes or {})["attempt"]) == ("retry", 1)
    [point] = seen.points("gen_ai.client.operation.duration")
    assert point.attributes["error.type"] == "ModelRateLimitError"
    assert seen.points("gen_ai.client.token.usage") == []


def test_tokens_and_durations_are_measured_by_model_and_kind(world: Any, seen: Seen) -> None:
    world.batch(ScriptedChatModel([REPLY] * 3), ["a", "b", "c"])
    tokens = {
        point.attributes["gen_ai.token.type"]: point
        for point in seen.points("gen_ai.client.token.usage")
    }
    assert {kind: (point.sum, point.count) for kind, point in tokens.items()} == {
        "input": (210, 3),
        "output": (90, 3),
    }
    assert tokens["input"].attributes["gen_ai.response.model"] == "m-1"
    assert tokens["input"].explicit_bounds[:4] == (1, 4, 16, 64)
    [point] = seen.points("gen_ai.client.operation.duration")
    assert (point.count, point.explicit_bounds[-1]) == (3, 81.92)


def test_an_answer_out_of_a_cache_uses_no_tokens(world: Any, seen: Seen) -> None:
    answer = AIMessage("x", usage_metadata=USAGE, response_metadata={"cached": True})
    world.invoke(ScriptedChatModel([answer]), "hi")
    assert dict(seen.spans[0].attributes or {})["headrace.cached"] is True
    assert seen.points("gen_ai.client.token.usage") == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("bedrock_converse", "aws.bedrock"), ("azure_openai", "azure.ai.openai"), ("groq", "groq")],
)
def test_providers_are_named_as_the_conventions_do(ours: str, theirs: str) -> None:
    found = identity("chat", ModelRequest(ours, "m", base_url="https://h/v1"))
    assert found["gen_ai.provider.name"] == theirs
    assert found["server.port"] == 443


def test_vectors_have_a_span_of_their_own(world: Any, seen: Seen) -> None:
    vectors = init_embeddings("offline:words", dimensions=3)
    if world.is_async:
        asyncio.run(vectors.aembed_documents(["a", "b"]))
    else:
        vectors.embed_documents(["a", "b"])
    [span] = seen.spans
    attributes = dict(span.attributes or {})
    assert (span.name, span.kind) == ("embeddings words", SpanKind.CLIENT)
    assert attributes["gen_ai.embeddings.dimension.count"] == 3
    assert attributes["gen_ai.usage.input_tokens"] > 0
    assert "gen_ai.usage.output_tokens" not in attributes
    [point] = seen.points("gen_ai.client.token.usage")
    assert point.attributes["gen_ai.operation.name"] == "embeddings"


# Tools and pipelines, and what is a child of what.


def test_a_pipeline_is_one_trace(world: Any, seen: Seen) -> None:
    chain = RunnableLambda(lambda x: x) | RunnableParallel(
        a=ScriptedChatModel([REPLY]), b=ScriptedChatModel([REPLY])
    )
    world.invoke(chain, "hi")
    root = seen.only("invoke_workflow RunnableSequence")
    others = [span for span in seen.spans if span is not root]
    assert [parent_of(span) for span in others] == [id_of(root)] * 2
    assert dict(root.attributes or {}) == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "RunnableSequence",
    }


def test_a_tool_has_a_span_and_a_model_it_calls_is_its_child(world: Any, seen: Seen) -> None:
    @tool
    def look(city: str) -> str:
        """Looks at a city."""
        return ScriptedChatModel([REPLY]).invoke(city).text

    call = {"type": "tool_call", "name": "look", "args": {"city": "Oslo"}, "id": "c1"}
    world.invoke(look, call)
    inner, outer = seen.only("chat scripted"), seen.only("execute_tool look")
    assert parent_of(inner) == id_of(outer)
    assert (outer.kind, dict(outer.attributes or {})) == (
        SpanKind.INTERNAL,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "look",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "c1",
        },
    )
    [point] = seen.points("gen_ai.execute_tool.duration")
    assert point.attributes["gen_ai.tool.name"] == "look"


def test_a_tool_in_a_stream_is_the_parent_of_what_it_calls_too(world: Any, seen: Seen) -> None:
    @tool
    def look(city: str) -> str:
        """Looks at a city."""
        return ScriptedChatModel([REPLY]).invoke(city).text

    world.stream(RunnableLambda(lambda x: {"city": x}) | look, "Oslo")
    assert parent_of(seen.only("chat scripted")) == id_of(seen.only("execute_tool look"))


def test_a_failure_that_a_tool_tells_the_model_is_a_failed_span(world: Any, seen: Seen) -> None:
    @tool(handle_validation_error=True)
    def look(city: str) -> str:
        """Looks at a city."""
        return city

    call = {"type": "tool_call", "name": "look", "args": {"town": "Oslo"}, "id": "c1"}
    message = world.invoke(look, call)
    span = seen.only("execute_tool look")
    assert message.status == "error"
    assert span.status.status_code is StatusCode.ERROR


def test_a_span_of_the_user_around_a_call_is_its_parent(world: Any, seen: Seen) -> None:
    tracer = trace.get_tracer("mine", tracer_provider=seen.tracers)
    with tracer.start_as_current_span("mine") as mine:
        world.invoke(ScriptedChatModel([REPLY]), "hi")
        assert trace.get_current_span() is mine
    assert parent_of(seen.only("chat scripted")) == id_of(mine)


def test_a_span_of_the_user_inside_a_function_stands_between(world: Any, seen: Seen) -> None:
    tracer = trace.get_tracer("mine", tracer_provider=seen.tracers)

    def work(x: str) -> str:
        with tracer.start_as_current_span("mine"):
            return ScriptedChatModel([REPLY]).invoke(x).text

    world.invoke(RunnableLambda(work, name="work"), "hi")
    mine = seen.only("mine")
    assert parent_of(seen.only("chat scripted")) == id_of(mine)
    assert parent_of(mine) == id_of(seen.only("invoke_workflow work"))


def test_what_a_request_does_inside_is_its_child(world: Any, seen: Seen) -> None:
    tracer = trace.get_tracer("http", tracer_provider=seen.tracers)

    class Sending(OfflineChatModel):
        async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
            with tracer.start_as_current_span("POST"):
                return AIMessage("x")

    world.invoke(Sending(), "hi")
    assert parent_of(seen.only("POST")) == id_of(seen.only("chat demo"))


def test_a_reader_of_a_stream_is_not_inside_the_request(seen: Seen) -> None:
    async def main() -> list[bool]:
        async with ScriptedChatModel(["one two three"]).astream("hi") as chunks:
            return [trace.get_current_span().get_span_context().is_valid async for _ in chunks]

    with ScriptedChatModel(["one two three"]).stream("hi") as chunks:
        inside = [trace.get_current_span().get_span_context().is_valid for _ in chunks]
    assert not any(inside + asyncio.run(main()))
    assert len(seen.spans) == 2


def test_a_thread_that_lost_its_context_finds_its_parent_by_the_run(seen: Seen) -> None:
    def work(x: str, config: Any) -> str:
        found: list[str] = []
        ask = lambda: found.append(ScriptedChatModel([REPLY]).invoke(x, config).text)  # noqa: E731 - a thread's work
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        return found[0]

    RunnableLambda(work, name="work").invoke("hi")
    assert parent_of(seen.only("chat scripted")) == id_of(seen.only("invoke_workflow work"))


def test_tasks_of_a_batch_have_the_callers_span_as_parent(world: Any, seen: Seen) -> None:
    tracer = trace.get_tracer("mine", tracer_provider=seen.tracers)
    with tracer.start_as_current_span("mine") as mine:
        world.batch(ScriptedChatModel([REPLY] * 8), ["hi"] * 8, {"max_concurrency": 4})
    spans = [span for span in seen.spans if span.name == "chat scripted"]
    assert [parent_of(span) for span in spans] == [id_of(mine)] * 8


# Content, and the switch.


def test_nothing_that_was_said_is_recorded_unless_asked_for(world: Any, seen: Seen) -> None:
    world.invoke(ScriptedChatModel([REPLY]), "a secret")
    assert "secret" not in seen.spans[0].to_json()
    assert "hello" not in seen.spans[0].to_json()


def test_content_is_recorded_by_the_schema_of_the_conventions(world: Any, heard: Seen) -> None:
    picture = image(b"\x89PNG\r\n\x1a\n")
    asked = [SystemMessage("Be kind."), HumanMessage(["look", picture])]
    calls = [{"type": "tool_call", "name": "look", "args": {"city": "Oslo"}, "id": "c1"}]
    answer = AIMessage("", tool_calls=calls, response_metadata={"finish_reason": "tool_calls"})
    world.invoke(ScriptedChatModel([answer]), asked)
    attributes = dict(heard.spans[0].attributes or {})
    [system, user] = json.loads(str(attributes["gen_ai.input.messages"]))
    assert system == {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]}
    assert [part["type"] for part in user["parts"]] == ["text", "blob"]
    assert user["parts"][1]["modality"] == "image"
    [output] = json.loads(str(attributes["gen_ai.output.messages"]))
    assert output == {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "look", "arguments": {"city": "Oslo"}}],
        "finish_reason": "tool_call",
    }


def test_arguments_and_results_of_tools_are_content_too(world: Any, heard: Seen) -> None:
    @tool
    def look(city: str) -> str:
        """Looks at a city."""
        return f"seen {city}"

    world.invoke(look, {"city": "Oslo"})
    attributes = dict(heard.spans[0].attributes or {})
    assert attributes["gen_ai.tool.call.arguments"] == '{"city":"Oslo"}'
    assert attributes["gen_ai.tool.call.result"] == '"seen Oslo"'


def test_keys_in_content_are_redacted(heard: Seen) -> None:
    ScriptedChatModel([REPLY]).invoke("it is sk-abcdefghijklmnopqrst")
    assert "sk-abc" not in heard.spans[0].to_json()


@pytest.mark.parametrize(
    ("said", "captures"),
    [("", False), ("true", True), ("SPAN_ONLY", True), ("NO_CONTENT", False), ("false", False)],
)
def test_the_environment_opts_in(
    monkeypatch: pytest.MonkeyPatch, said: str, captures: bool
) -> None:
    monkeypatch.setenv(CAPTURE, said)
    assert OpenTelemetryHandler().captures is captures


def test_instrumenting_twice_tells_once_and_switching_off_ends_it(seen: Seen) -> None:
    other = Seen()
    instrument(tracer_provider=other.tracers, meter_provider=other.meters)
    ScriptedChatModel([REPLY]).invoke("hi")
    uninstrument()
    ScriptedChatModel([REPLY]).invoke("hi")
    assert (len(other.spans), len(seen.spans)) == (1, 0)


def test_the_handler_alone_serves_as_a_callback(world: Any) -> None:
    seen = Seen()
    handler = OpenTelemetryHandler(tracer_provider=seen.tracers, meter_provider=seen.meters)
    world.invoke(ScriptedChatModel([REPLY]), "hi", {"callbacks": [handler]})
    assert [span.name for span in seen.spans] == ["chat scripted"]
    assert handler._runs == {}


def test_without_its_package_the_error_holds_the_command() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None; import headrace.otel"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingPackageError" in done.stderr
    assert "pip install 'headrace[otel]'" in done.stderr


def test_nobody_who_does_not_ask_for_it_loads_opentelemetry() -> None:
    code = (
        "import sys, headrace.testing as t; t.ScriptedChatModel(['a']).invoke('hi');"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
