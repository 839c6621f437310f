"""ChatBedrockConverse over boto3: its doors, timeouts, closing, counting, listing."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from converse_events import body, end, frame, text

from headrace import init_chat_model, list_models
from headrace.chat_models import CLIENTS, Settings, Timeout, Watch
from headrace.engine.drive import drive
from headrace.engine.strands import Scope, Stopped
from headrace.engine.worlds import sync_world
from headrace.errors import ModelTimeoutError, StreamInterruptedError
from headrace.messages import AIMessage, HumanMessage
from headrace.testing.loopback import LoopbackServer
from headrace.testing.scripted import ScriptedChatModel
from headrace.transport import Limits
from headrace_aws import ChatBedrockConverse
from headrace_aws.client import AWSClient, AWSSession, ClientSettings, SessionSettings
from headrace_aws.loopback import ConverseWire

STREAM = "application/vnd.amazon.eventstream"


class Service:
    """A server that answers each path with what `answers` has for it, and stays silent after."""

    def __init__(self, answers: dict[str, tuple[str, bytes, bool]]) -> None:
        self.answers, self.seen = answers, list[tuple[str, Any, Any]]()
        self.left = threading.Event()  # a client went away while it was waiting
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                outer.serve(self)

            def do_POST(self) -> None:
                outer.serve(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("content-length") or 0)
        sent = json.loads(handler.rfile.read(size) or b"null")
        self.seen.append((handler.path, sent, dict(handler.headers)))
        name = handler.path.partition("?")[0].rpartition("/")[2]
        kind, data, ends = self.answers[name]
        handler.send_response(200)
        handler.send_header("content-type", kind)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        handler.wfile.flush()
        if ends:
            handler.wfile.write(b"0\r\n\r\n")
            return
        handler.close_connection = True
        handler.connection.settimeout(30)
        if handler.connection.recv(1) == b"":
            self.left.set()


@contextmanager
def serving(**answers: tuple[str, bytes, bool]) -> Iterator[Service]:
    service = Service({name.replace("_", "-"): answer for name, answer in answers.items()})
    threading.Thread(target=service.server.serve_forever, args=(0.02,), daemon=True).start()
    yield service
    service.server.shutdown()
    service.server.server_close()


def model_at(url: str, **params: Any) -> ChatBedrockConverse:
    given = {"model": "us.amazon.nova-lite-v1:0", "region_name": "us-east-1", "api_key": "key",
             "max_retries": 0}  # fmt: skip
    return ChatBedrockConverse(base_url=url, **{**given, **params})


BEGUN = (STREAM, body([("messageStart", {"role": "assistant"}), *text("one ", "two ")]), False)


# Leaving and being late


@pytest.mark.parametrize("way", ["close", "break"])
def test_leaving_a_stream_closes_its_connection(way: str) -> None:
    with serving(converse_stream=BEGUN) as service:
        with model_at(service.url).stream("hi") as chunks:
            assert next(chunk for chunk in chunks if chunk.text).text == "one "
            if way == "close":
                chunks.close()
        assert service.left.wait(10)


def test_leaving_an_async_stream_wakes_its_thread_and_closes_its_connection() -> None:
    async def main(service: Service) -> str:
        async with model_at(service.url).astream("hi") as chunks:
            async for chunk in chunks:
                if chunk.text:
                    break
        return chunk.text

    with serving(converse_stream=BEGUN) as service:
        assert asyncio.run(asyncio.wait_for(main(service), 20)) == "one "
        assert service.left.wait(10)


def test_a_cancelled_stream_closes_its_connection() -> None:
    async def main(service: Service) -> None:
        async def read() -> None:
            async for _ in model_at(service.url).astream("hi"):
                begun.set()

        begun = asyncio.Event()
        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    with serving(converse_stream=BEGUN) as service:
        asyncio.run(asyncio.wait_for(main(service), 20))
        assert service.left.wait(10)


@pytest.mark.parametrize("world", ["sync", "async"])
def test_each_call_has_its_own_timeout_on_one_client(world: str) -> None:
    with serving(converse_stream=BEGUN) as service:
        model = model_at(service.url)
        read = drained_sync if world == "sync" else drained_async
        for seconds in (0.2, 0.3):
            with pytest.raises(ModelTimeoutError):
                read(model, timeout=Timeout(idle=seconds, first_chunk=seconds))
        # The second call went to the same client, which took other timeouts.
        settings = model._exchange().client_key
        client = CLIENTS.use(model._user, settings, lambda: None, is_async=False)
        assert list(client._clients) == ["bedrock-runtime"]


def drained_sync(model: Any, **options: Any) -> list[Any]:
    return list(model.stream("hi", **options))


def drained_async(model: Any, **options: Any) -> list[Any]:
    async def read() -> list[Any]:
        return [chunk async for chunk in model.astream("hi", **options)]

    return asyncio.run(read())


def test_an_answer_that_does_not_come_is_late() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener, pytest.raises(ModelTimeoutError):
        model_at(url, timeout=0.2).invoke("hi")


def test_a_stream_that_breaks_keeps_what_came() -> None:
    cut = (STREAM, body([("messageStart", {"role": "assistant"}), *text("one ", "two ")]), True)
    with serving(converse_stream=cut) as service, pytest.raises(StreamInterruptedError) as raised:
        list(model_at(service.url).stream("hi"))
    assert raised.value.partial.text == "one two "


def test_an_exception_in_a_stream_is_raised_with_what_came_before() -> None:
    events = body(text("one "))
    events += frame("modelStreamErrorException", {"message": "broke"}, failed=True)
    with serving(converse_stream=(STREAM, events, True)) as service:
        seen: list[str] = []
        with pytest.raises(Exception, match="broke"):
            seen.extend(chunk.text for chunk in model_at(service.url).stream("hi"))
        assert "one " in "".join(seen)


def test_an_ended_stream_gives_its_connection_back() -> None:
    whole = (STREAM, body([*text("hi"), *end()]), True)
    with serving(converse_stream=whole) as service:
        model = model_at(service.url)
        for _ in range(3):
            assert sum(model.stream("hi")).text == "hi"  # type: ignore[attr-defined]  # chunks add
        pool = connections(model)
        assert pool == 1


def connections(model: ChatBedrockConverse) -> int:
    """How many connections boto3 has made for a model."""
    settings = model._exchange().client_key
    client = CLIENTS.use(model._user, settings, lambda: None, is_async=False)
    manager = client._clients["bedrock-runtime"]._endpoint.http_session._manager
    return int(manager.pools[next(iter(manager.pools.keys()))].num_connections)


def test_a_read_that_waits_is_cut_when_its_sync_run_is_called_off() -> None:
    scope = Scope()
    watch = Watch(Timeout(), scope)
    with serving(converse_stream=BEGUN) as service:
        exchange = model_at(service.url)._exchange()
        sent = exchange.encode([HumanMessage("hi")], Settings({}, watch), stream=True)
        client = AWSClient(exchange.client_settings, AWSSession(SessionSettings()))
        body_of = {"modelId": "m", **sent}
        limits = Limits.of(watch, stream=True)
        response = drive(exchange.send(client, body_of, limits, sync_world()))
        pieces = response.iter_bytes()
        next(pieces)
        calling_off = threading.Timer(0.05, scope.stop)
        calling_off.start()
        with pytest.raises(Stopped):
            next(pieces)
        calling_off.join()
        assert service.left.wait(10)


# The doors that botocore keeps


def test_the_installed_boto3_has_the_places_for_timeouts() -> None:
    settings = ClientSettings(region="us-east-1", unsigned=True)
    client = AWSClient(settings, AWSSession(SessionSettings()))._client("bedrock-runtime")
    session = client._endpoint.http_session
    assert type(session._timeout).__name__ == "OfCall"
    assert session._manager.connection_pool_kw["timeout"] is session._timeout


def test_boto3_tries_once_and_keeps_connections() -> None:
    settings = model_at("https://example.com", max_pool_connections=7)._exchange().client_settings
    client = AWSClient(settings, AWSSession(SessionSettings()))._client("bedrock-runtime")
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert client.meta.config.max_pool_connections == 7


def test_a_proxy_and_a_config_of_the_callers_own_reach_boto3() -> None:
    from botocore.config import Config  # type: ignore[import-untyped]  # botocore ships no types

    model = model_at(
        "https://example.com", proxy="http://proxy.example:3128",
        config=Config(tcp_keepalive=True, retries={"total_max_attempts": 9}),
    )  # fmt: skip
    made = AWSClient(model._exchange().client_settings, AWSSession(SessionSettings()))
    config = made._client("bedrock-runtime").meta.config
    assert config.proxies["https"] == "http://proxy.example:3128"
    assert config.tcp_keepalive is True
    assert config.retries["total_max_attempts"] == 1
    assert "proxy.example" not in repr(model._exchange().client_settings)


def test_models_of_one_account_share_a_client_and_closing_the_last_closes_it() -> None:
    with LoopbackServer(ScriptedChatModel(["a", "b"]), ConverseWire()) as server:
        one, two = model_at(server.base_url), model_at(server.base_url, temperature=0.5)
        one.invoke("hi")
        held = len(CLIENTS)
        asyncio.run(two.ainvoke("hi"))
        assert len(CLIENTS) == held
        one.close()
        assert len(CLIENTS) == held
        asyncio.run(two.aclose())
        assert len(CLIENTS) < held


# Beside the conversation


@pytest.mark.parametrize("world", ["sync", "async"])
def test_tokens_are_counted_by_the_service(world: str) -> None:
    answer = ("application/json", b'{"inputTokens": 42}', True)
    with serving(count_tokens=answer) as service:
        model = model_at(service.url).bind_tools([{"name": "add", "parameters": {}}])
        messages = [HumanMessage("hi")]
        if world == "sync":
            assert model.get_num_tokens(messages, exact=True) == 42
        else:
            assert asyncio.run(model.aget_num_tokens(messages, exact=True)) == 42
        path, sent, _ = service.seen[-1]
    assert path == "/model/amazon.nova-lite-v1%3A0/count-tokens"
    asked = sent["input"]["converse"]
    assert asked["messages"] == [{"role": "user", "content": [{"text": "hi"}]}]
    assert asked["toolConfig"]["tools"][0]["toolSpec"]["name"] == "add"


def test_models_and_profiles_are_listed_live(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [
        {"modelId": "amazon.nova-lite-v1:0", "inferenceTypesSupported": ["ON_DEMAND"]},
        {"modelId": "anthropic.claude-x", "inferenceTypesSupported": ["INFERENCE_PROFILE"]},
    ]
    listed = json.dumps({"modelSummaries": models}).encode()
    profiles = {"inferenceProfileSummaries": [{"inferenceProfileId": "us.anthropic.claude-x"}]}
    answers: Any = {
        "foundation_models": ("application/json", listed, True),
        "inference_profiles": ("application/json", json.dumps(profiles).encode(), True),
    }
    with serving(**answers) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", service.url)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key-of-nobody")
        found = [card.name for card in list_models("bedrock_converse", live=True)]
    assert found == ["amazon.nova-lite-v1:0", "us.anthropic.claude-x"]
    assert service.seen[0][2]["Authorization"] == "Bearer key-of-nobody"


# As others see it


@pytest.mark.parametrize("name", ["bedrock", "bedrock_converse"])
def test_both_names_of_the_provider_make_the_class(name: str) -> None:
    model = init_chat_model(f"{name}:anthropic.claude-sonnet-5")
    assert type(model) is ChatBedrockConverse
    assert isinstance(init_chat_model("us.anthropic.claude-sonnet-5"), ChatBedrockConverse)


def test_a_history_of_another_provider_is_answered() -> None:
    thought = {"type": "reasoning", "reasoning": "Hm.", "extras": {"signature": "theirs"}}
    call = {"name": "add", "args": {}, "id": "call|1"}
    answer = AIMessage(
        [thought, {"type": "text", "text": "4"}], tool_calls=[call],
        response_metadata={"model_provider": "anthropic"},
    )  # fmt: skip
    with LoopbackServer(ScriptedChatModel(["ok"]), ConverseWire()) as server:
        message = model_at(server.base_url, model="anthropic.claude-sonnet-5").invoke(
            ["hi", answer, {"role": "tool", "content": "3", "tool_call_id": "call|1"}]
        )
    assert "theirs" not in repr(server.requests[-1])
    assert "reasoning" in [record["name"] for record in message.response_metadata["adapted"]]
