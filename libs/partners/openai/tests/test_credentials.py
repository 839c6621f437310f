"""Which URL and which key a request carries, seen by a server on loopback."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from headrace import init_chat_model, list_models
from headrace.cards import class_schema
from headrace.credentials import credential_from_dict, credential_schemas, credential_types
from headrace.errors import ConfigurationError, HeadraceError, MissingCredentialError, WireError
from headrace_openai import (
    ChatOpenAI,
    DeepSeekCredential,
    MoonshotCredential,
    OpenAICredential,
    OpenAIEmbeddings,
    XAICredential,
)
from headrace_openai.dialects import DIALECTS
from headrace_openai.place import find_dialect, find_place

ANSWER = {
    "id": "r1",
    "model": "m-1",
    "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
}
Seen = tuple[str, str]  # URL and key


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(json.dumps(ANSWER))

    def do_GET(self) -> None:
        self._answer(self.server.models)  # type: ignore[attr-defined]

    def _answer(self, text: str) -> None:
        where = self.headers.get("x-asked") or f"http://{self.headers['host']}{self.path}"
        key = self.headers["authorization"].removeprefix("Bearer ")
        self.server.seen.append((where, key))  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.headers_seen.append(headers)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def service() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.daemon_threads = True
    vars(server).update(seen=[], headers_seen=[], models=json.dumps({"data": [{"id": "m-1"}]}))
    vars(server)["url"] = f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class _Detour(httpx2.HTTPTransport):
    """Sends each request to loopback, with the URL that was asked in a header."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["x-asked"] = str(request.url)
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return super().handle_request(request)


KEYS = {row.keys[0]: f"key-{row.id}" for row in DIALECTS.values() if row.keys}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key for every service, and nothing else."""
    for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)


@pytest.fixture
def ask(service: Any) -> Iterator[Callable[..., Seen]]:
    """Makes a model by `make(model, **given)`, asks it once, and says what the server saw."""
    client = httpx2.Client(transport=_Detour(service.server_address[1]))

    def run(make: Callable[..., Any], model: str, **given: Any) -> Seen:
        made = make(model=model, http_client=client, max_retries=0, **given)
        assert made.invoke("hello").text == "hi"
        url, key = service.seen.pop()
        return url.removesuffix("/chat/completions"), key

    yield run
    client.close()


OPENAI = "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("model", "given", "seen"),
    [
        # nothing set
        ("gpt-5", {}, (OPENAI, "key-openai")),
        ("grok-4", {}, ("https://api.x.ai/v1", "key-xai")),
        # a provider: its URL and its key
        ("openai:gpt-5", {}, (OPENAI, "key-openai")),
        ("xai:grok-4", {}, ("https://api.x.ai/v1", "key-xai")),
        ("m", {"model_provider": "moonshot"}, ("https://api.moonshot.ai/v1", "key-moonshot")),
        ("mistral_openai:m", {}, ("https://api.mistral.ai/v1", "key-mistral_openai")),
        # a URL: the provider of its exact host, and that provider's key
        ("m", {"base_url": "https://api.deepseek.com/v1"},
         ("https://api.deepseek.com/v1", "key-deepseek")),
        ("m", {"base_url": "https://API.x.AI/v1/chat/completions"},
         ("https://api.x.ai/v1", "key-xai")),
        ("gpt-5", {"base_url": "https://eu.api.openai.com/v1"},
         ("https://eu.api.openai.com/v1", "key-openai")),
        # a URL of nobody's: nobody's key
        ("gpt-5", {"base_url": "https://gate.test/v1"}, ("https://gate.test/v1", "none")),
        # a provider and a URL of nobody's: that URL, and the provider's key
        ("openai:gpt-5", {"base_url": "https://gate.test/v1"},
         ("https://gate.test/v1", "key-openai")),
        ("deepseek:m", {"base_url": "https://gate.test/v1"},
         ("https://gate.test/v1", "key-deepseek")),
        # a key: that key, wherever it goes
        ("gpt-5", {"api_key": "mine"}, (OPENAI, "mine")),
        ("m", {"base_url": "https://api.deepseek.com/v1", "api_key": "mine"},
         ("https://api.deepseek.com/v1", "mine")),
        ("m", {"base_url": "https://gate.test/v1", "api_key": "mine"},
         ("https://gate.test/v1", "mine")),
        ("openai:m", {"base_url": "https://api.deepseek.com/v1", "api_key": "mine"},
         ("https://api.deepseek.com/v1", "mine")),
    ],
)  # fmt: skip
def test_provider_url_and_key_by_the_scenarios(
    ask: Any, model: str, given: dict[str, Any], seen: Seen
) -> None:
    assert ask(init_chat_model, model, **given) == seen


EVIL = [
    "https://evil.test/api.openai.com",
    "https://evil.test/v1?x=api.openai.com",
    "https://evil.test/v1#api.openai.com",
    "https://api.openai.com.evil.test/v1",
    "https://api.openai.com@evil.test/v1",
    "https://evil.test/https://api.openai.com/v1",
    "https://xapi.openai.com/v1",
    "https://api-openai.com/v1",
]


@pytest.mark.parametrize("url", EVIL)
@pytest.mark.parametrize("make", [init_chat_model, ChatOpenAI])
def test_no_key_goes_to_a_host_that_only_looks_right(ask: Any, make: Any, url: str) -> None:
    where, key = ask(make, "gpt-5", base_url=url)
    assert key == "none" or key.startswith("Basic ")  # of the user that the URL itself names
    assert httpx2.URL(where).host not in DIALECTS["openai"].hosts


@pytest.mark.parametrize(
    "url", ["https://evil.test\\@api.openai.com/v1", "https://evil.test\t@api.openai.com/v1"]
)
def test_a_url_that_parsers_read_differently_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no spaces"):
        ChatOpenAI(model="m", base_url=url).invoke("hello")


@pytest.mark.parametrize(
    "given",
    [
        {"credential": OpenAICredential(), "base_url": "https://api.deepseek.com"},
        {"credential": OpenAICredential(api_key="mine"), "base_url": "https://api.deepseek.com"},
        {"credential": OpenAICredential(base_url="https://api.deepseek.com")},
        {"credential": OpenAICredential(), "base_url": "https://api.anthropic.com/v1"},
        {"dialect": "deepseek", "base_url": OPENAI},
        {"credential": DeepSeekCredential(), "base_url": OPENAI},
    ],
)
def test_a_key_never_goes_to_the_host_of_another(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="`base_url` is a host of"):
        ChatOpenAI(model="m", **given).invoke("hello")


@pytest.mark.parametrize(
    "given",
    [
        {"dialect": "groq", "credential": OpenAICredential()},
        {"dialect": "deepseek", "credential": MoonshotCredential()},
    ],
)
def test_a_credential_of_another_service_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="does not open"):
        ChatOpenAI(model="m", **given).invoke("hello")


def test_a_configured_url_is_openais_own_with_openais_key(
    ask: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.deepseek.com/v1")
    assert ask(ChatOpenAI, "gpt-5") == ("https://api.deepseek.com/v1", "key-openai")
    assert ask(init_chat_model, "xai:grok-4") == ("https://api.x.ai/v1", "key-xai")
    monkeypatch.setenv("OPENAI_BASE_URL", service.url)
    assert ask(ChatOpenAI, "gpt-5") == (service.url, "key-openai")


def test_without_a_detour_the_loopback_server_is_reached(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAICredential(base_url=service.url, api_key="mine").chat_model("gpt-5") as model:
        assert model.invoke("hello").text == "hi"
        assert asyncio.run(model.ainvoke("hello")).text == "hi"
    assert service.seen == [(f"{service.url}/chat/completions", "mine")] * 2


@pytest.mark.parametrize(
    ("credential", "seen"),
    [
        (OpenAICredential(), (OPENAI, "key-openai")),
        (OpenAICredential(api_key="mine"), (OPENAI, "mine")),
        (OpenAICredential(api_key={"env": "XAI_API_KEY"}), (OPENAI, "key-xai")),
        (OpenAICredential(api_key=lambda: "made"), (OPENAI, "made")),
        (DeepSeekCredential(), ("https://api.deepseek.com", "key-deepseek")),
        (MoonshotCredential(base_url="https://api.moonshot.cn/v1"),
         ("https://api.moonshot.cn/v1", "key-moonshot")),
        (XAICredential(base_url="https://gate.test/v1", api_key="mine"),
         ("https://gate.test/v1", "mine")),
    ],
)  # fmt: skip
def test_a_credential_says_where_and_with_which_key(ask: Any, credential: Any, seen: Seen) -> None:
    assert ask(credential.chat_model, "m") == seen
    assert ask(ChatOpenAI, "m", credential=credential) == seen


def test_a_token_provider_is_asked_for_each_request(service: Any) -> None:
    tokens = iter(["t1", "t2", "t3"])

    async def later() -> str:
        return next(tokens)

    model = OpenAICredential(api_key=lambda: next(tokens), base_url=service.url).chat_model("m")
    model.invoke("a")
    model.invoke("b")
    late = OpenAICredential(api_key=later, base_url=service.url).chat_model("m")
    asyncio.run(late.ainvoke("c"))
    assert [key for _, key in service.seen] == ["t1", "t2", "t3"]
    with pytest.raises(ConfigurationError, match="async function"):
        late.invoke("d")
    model.close()
    late.close()


def test_an_unset_reference_is_missing_even_where_no_key_is_needed() -> None:
    model = ChatOpenAI(model="m", dialect="vllm", api_key={"env": "NO_SUCH_VARIABLE"})
    with pytest.raises(MissingCredentialError, match="NO_SUCH_VARIABLE"):
        model.invoke("hello")


def test_organization_and_project_go_to_openai_alone_unless_given(
    ask: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-env")
    ask(ChatOpenAI, "m")
    assert service.headers_seen[-1]["openai-organization"] == "org-env"
    ask(ChatOpenAI, "m", base_url="https://gate.test/v1")
    assert "openai-organization" not in service.headers_seen[-1]
    ours = OpenAICredential(organization="org-own", base_url="https://gate.test/v1")
    ask(ChatOpenAI, "m", credential=ours)
    assert service.headers_seen[-1]["openai-organization"] == "org-own"


def test_a_model_explains_where_its_settings_come_from() -> None:
    model = OpenAICredential(organization="o").chat_model("m", base_url="https://gate.test/v1")
    told = model.explain()
    assert told["api_key"] == {"source": "environment", "variable": "OPENAI_API_KEY"}
    assert told["base_url"] == {"source": "argument", "value": "https://gate.test/v1"}
    assert told["organization"] == {"source": "credential", "value": "o"}
    assert told["project"] == {"source": "missing", "variables": ["OPENAI_PROJECT_ID"]}


def test_a_pickled_model_keeps_its_credential_and_not_its_key(ask: Any) -> None:
    model = DeepSeekCredential(api_key="sk-hidden", base_url="https://gate.test").chat_model("m")
    blob = pickle.dumps(model)
    assert b"sk-hidden" not in blob
    back = pickle.loads(blob)
    assert (back._place().url, back._place().key) == ("https://gate.test", "key-deepseek")
    by_name = pickle.loads(pickle.dumps(ChatOpenAI(model="m", api_key={"env": "XAI_API_KEY"})))
    assert by_name._place().key == "key-xai"


def test_a_dumped_model_holds_a_reference_to_the_key_of_its_service() -> None:
    model = ChatOpenAI(model="m", api_key="sk-hidden", base_url="https://api.groq.com/openai/v1")
    assert model.model_dump()["api_key"] == {"env": "GROQ_API_KEY"}
    assert "sk-hidden" not in str(model.model_dump())


def test_each_service_has_its_kind_of_credential() -> None:
    kinds = credential_types()
    assert {f"{name}_credential" for name in DIALECTS} <= set(kinds)
    assert set(credential_schemas()) == set(kinds)
    made = credential_from_dict({"type": "groq_credential"})
    assert made.resolve().values["api_key"] == "key-groq"
    with pytest.raises(ConfigurationError, match="no address"):
        ChatOpenAI(model="m", credential={"type": "openai_compatible_credential"}).invoke("x")


def test_a_live_list_is_asked_of_the_service_with_its_key(service: Any) -> None:
    service.models = json.dumps({"data": [{"id": "gpt-5"}, {"id": "brand-new"}, {"id": "gpt-5"}]})
    credential = OpenAICredential(base_url=service.url, api_key="mine")
    cards = list_models("openai", live=True, credential=credential)
    assert [card.name for card in cards] == ["brand-new", "gpt-5"]
    assert cards[1].profile["tool_calling"] is True
    assert asyncio.run(credential.alist_models(live=True)) == cards
    assert service.seen == [(f"{service.url}/models", "mine")] * 2


@pytest.mark.parametrize("models", ["[]", '[{"id": "models/gpt-5"}]'])
def test_lists_of_other_forms_are_read(service: Any, models: str) -> None:
    service.models = models
    credential = OpenAICredential(base_url=service.url, api_key="mine")
    names = [card.name for card in credential.list_models(live=True)]
    assert names == [row["id"].removeprefix("models/") for row in json.loads(models)]


def test_what_is_no_list_of_models_is_a_wire_error(service: Any) -> None:
    service.models = '{"error": "no"}'
    with pytest.raises(WireError, match="list of models"):
        OpenAICredential(base_url=service.url, api_key="k").list_models(live=True)


def test_a_list_is_the_same_from_provider_class_and_credential() -> None:
    cards = list_models("openai")
    assert cards == ChatOpenAI.list_models() == OpenAICredential().list_models()
    assert {"gpt-5", "gpt-4o"} <= {card.name for card in cards}


VALUES = st.sampled_from(
    [None, True, 0, 1, 2.0, 0.5, -3, 129, "low", "x" * 65, "5", [], ["text"], ["video"], [1], {},
     1e30, {"50256": -100}, {"a": "1"}, {"a": 1.5}]
) | st.integers() | st.floats(allow_nan=False, allow_infinity=False, width=32)  # fmt: skip


@pytest.mark.parametrize("cls", [ChatOpenAI, OpenAIEmbeddings])
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_the_form_accepts_exactly_what_the_class_accepts(cls: Any, data: Any) -> None:
    form = class_schema(cls)
    names = st.sampled_from([*form["properties"], "no_such_parameter"])
    values = data.draw(st.dictionaries(names, VALUES, max_size=3))
    try:
        cls(model="m", **values)
        accepted = True
    except HeadraceError:
        accepted = False
    assert Draft202012Validator(form).is_valid(values) == accepted


@pytest.mark.parametrize("card", list_models("openai"), ids=lambda card: card.name)
def test_the_form_of_each_model_is_a_schema_that_its_class_can_fill(card: Any) -> None:
    form = card.parameter_schema
    Draft202012Validator.check_schema(form)
    defaults = {name: spec["default"] for name, spec in form["properties"].items()}
    assert Draft202012Validator(form).is_valid(defaults)
    ChatOpenAI(model=card.name, **defaults)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"base_url": "https://api.deepseek.com/v1"},
        {"base_url": "http://127.0.0.1:1/v1/chat/completions"},
        {"dialect": "groq"},
        {"credential": OpenAICredential(base_url="https://api.x.ai/v1")},
        {"credential": MoonshotCredential()},
    ],
    ids=repr,
)
def test_the_dialect_looked_up_alone_is_the_dialect_of_the_place(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://openrouter.ai/api/v1")
    assert find_dialect(**told) is find_place(**told).dialect
