"""Local pipelines without torch: parameters, requests, refusals. `make test-local` runs models."""

from __future__ import annotations

import asyncio
import pickle
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from headrace import init_chat_model
from headrace.chat_models.settings import call_of
from headrace.errors import (
    ConfigurationError,
    InputError,
    MissingPackageError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    UnsupportedContentError,
    UnsupportedParameterError,
)
from headrace.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, image
from headrace_huggingface import (
    ChatHuggingFace,
    ChatHuggingFacePipeline,
    HuggingFacePipeline,
)
from headrace_huggingface.local.templates import forms, missing
from headrace_huggingface.local.weights import Recipe, _loading_error

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f"
    b"\x15\xc4\x89\x00\x00\x00\rIDATx\xdac\xfc\xcf\xf0\xbf\x1e\x00\x07\x0c\x02\x7fZ4}\xdb\x00\x00"
    b"\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUGGINGFACEHUB_API_TOKEN", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def local(**given: Any) -> Any:
    return ChatHuggingFace(backend="pipeline", **{"model": "org/m", **given})


def body_of(model: Any, messages: Any = "hi", **options: Any) -> dict[str, Any]:
    """The request as it goes to the template and to `generate`."""
    from headrace.chat_models.fitting import fit
    from headrace.messages import convert_to_messages

    settings = model.settings(call_of(options))
    sent, settings = fit(model, convert_to_messages(messages), settings, [])
    body: dict[str, Any] = model._request(sent, settings)
    return {**body, "notes": [note["name"] for note in settings.notes.records]}


@pytest.mark.parametrize(
    "made",
    [
        lambda: local(max_tokens=5),
        lambda: init_chat_model("huggingface:org/m", backend="pipeline", max_tokens=5),
        lambda: ChatHuggingFace.from_model_id("org/m", "text-generation", backend="pipeline",
                                              max_new_tokens=5),
        lambda: ChatHuggingFace(llm=HuggingFacePipeline.from_model_id(
            model_id="org/m", task="text-generation", pipeline_kwargs={"max_new_tokens": 5})),
        lambda: ChatHuggingFace(llm=HuggingFacePipeline(model_id="org/m"), max_tokens=5),
        lambda: ChatHuggingFacePipeline(model="org/m", max_tokens=5),
    ],
)  # fmt: skip
def test_a_local_model_is_made_in_every_familiar_way(made: Any) -> None:
    model = made()
    assert isinstance(model, ChatHuggingFacePipeline)
    assert (model.model, model.task, model.max_tokens) == ("org/m", "text-generation", 5)


EFFECTS: dict[str, tuple[Any, Any]] = {
    # parameter: (value, what of the request or of the recipe it makes)
    "model": ("org/x", lambda b, r: (b["model"], r.model) == ("org/x", "org/x")),
    "api_key": ("hf_1", lambda b, r: r.token == "hf_1"),
    "credential": (
        {"type": "huggingface_credential", "api_key": "hf_2"}, lambda b, r: r.token == "hf_2",
    ),
    "task": ("image-text-to-text", lambda b, r: r.task == "image-text-to-text"),
    "device": (0, lambda b, r: r.device == 0),
    "device_map": ("auto", lambda b, r: r.device_map == "auto"),
    "model_kwargs": ({"revision": "v2"}, lambda b, r: r.options == {"revision": "v2"}),
    "temperature": (
        0.5, lambda b, r: b["generate"] == {"do_sample": True, "temperature": 0.5},
    ),
    "max_tokens": (9, lambda b, r: b["generate"] == {"max_new_tokens": 9}),
    "stop": (["END"], lambda b, r: b["stop"] == ["END"]),
    "top_p": (0.5, lambda b, r: b["generate"] == {"do_sample": True, "top_p": 0.5}),
    "top_k": (5, lambda b, r: b["generate"] == {"do_sample": True, "top_k": 5}),
    "min_p": (0.1, lambda b, r: b["generate"] == {"do_sample": True, "min_p": 0.1}),
    "typical_p": (0.9, lambda b, r: b["generate"] == {"do_sample": True, "typical_p": 0.9}),
    "repetition_penalty": (1.1, lambda b, r: b["generate"] == {"repetition_penalty": 1.1}),
    "num_beams": (2, lambda b, r: b["generate"] == {"num_beams": 2}),
    "do_sample": (True, lambda b, r: b["generate"] == {"do_sample": True}),
    "pipeline_kwargs": (
        {"no_repeat_ngram_size": 2}, lambda b, r: b["generate"] == {"no_repeat_ngram_size": 2},
    ),
    "extra_body": ({"length_penalty": 2}, lambda b, r: b["generate"] == {"length_penalty": 2}),
    "seed": (3, lambda b, r: b["seed"] == 3),
    "chat_template": ("{{ x }}", lambda b, r: b["chat_template"] == "{{ x }}"),
    "chat_template_kwargs": ({"x": 1}, lambda b, r: b["chat_template_kwargs"] == {"x": 1}),
    "reasoning_effort": (
        "none", lambda b, r: b["chat_template_kwargs"] == {"enable_thinking": False},
    ),
    "batch_size": (4, lambda b, r: b["notes"] == ["batch_size"]),
    "return_full_text": (False, lambda b, r: b["notes"] == ["return_full_text"]),
    "skip_special_tokens": (True, lambda b, r: b["notes"] == ["skip_special_tokens"]),
    "clean_up_tokenization_spaces": (
        True, lambda b, r: b["notes"] == ["clean_up_tokenization_spaces"],
    ),
    "cache_prompt": (True, lambda b, r: b["notes"] == ["cache_prompt"]),
    "parallel_tool_calls": (False, lambda b, r: b["notes"] == ["parallel_tool_calls"]),
}  # fmt: skip
# What the core does with its own; of ours `pipeline` and `extract_reasoning` have tests below
# and in tests_local.
OF_THE_CORE = {
    "cache", "callbacks", "max_retries", "metadata", "on_unsupported", "on_unsupported_content",
    "profile_overrides", "rate_limiter", "tags", "timeout",
}  # fmt: skip
REFUSED = {"base_url": "http://x", "proxy": "http://x", "default_headers": {"a": "b"}}


@pytest.mark.parametrize("name", list(EFFECTS))
def test_each_parameter_has_its_effect(name: str) -> None:
    value, holds = EFFECTS[name]
    model = local(**{name: value})
    assert holds(body_of(model), model._recipe())


def test_no_parameter_is_without_a_test() -> None:
    tested = {*EFFECTS, *OF_THE_CORE, *REFUSED, "pipeline", "extract_reasoning", "backend", "llm"}
    assert set(ChatHuggingFacePipeline.model_fields) == tested


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_of_a_server_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"`{name}` is of requests to a server"):
        local(**{name: REFUSED[name]})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"temperatur": 1}, "did you mean `temperature`"),
        ({"presence_penalty": 1}, "no parameter `presence_penalty`"),
        ({"task": "summarization"}, "is no chat"),
        ({"backend": "openvino"}, "`backend`"),
        ({"llm": 1}, "`llm` is a HuggingFacePipeline"),
    ],
)
def test_what_it_does_not_know_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        ChatHuggingFace(**{"backend": "pipeline", "model": "org/m", **given})


def test_nothing_set_is_nothing_asked_of_generate() -> None:
    assert body_of(local())["generate"] == {}


def test_a_temperature_of_0_takes_no_chance_and_says_what_it_leaves_out() -> None:
    body = body_of(local(temperature=0, top_p=0.5))
    assert body["generate"] == {"do_sample": False}
    assert body["notes"] == ["top_p"]


def test_a_temperature_without_chance_is_noted() -> None:
    body = body_of(local(temperature=0.7, do_sample=False))
    assert body["generate"] == {"do_sample": False}
    assert body["notes"] == ["temperature"]


def test_what_is_said_beside_the_pipeline_goes_before_it() -> None:
    llm = HuggingFacePipeline.from_model_id("org/m", pipeline_kwargs={"max_new_tokens": 5})
    assert body_of(ChatHuggingFace(llm=llm, max_tokens=7))["generate"] == {"max_new_tokens": 7}
    assert "org/m" in repr(llm)


def test_options_of_a_call_reach_generate() -> None:
    body = body_of(local(), max_new_tokens=3, temperature=1)
    assert body["generate"] == {"max_new_tokens": 3, "do_sample": True, "temperature": 1.0}


@pytest.mark.parametrize("name", ["backend", "device", "model", "model_kwargs", "task"])
def test_what_is_of_loading_cannot_change_at_a_call(name: str) -> None:
    value = {"a": 1} if name == "model_kwargs" else "pipeline"
    with pytest.raises(InputError, match="belongs to the model"):
        local().invoke("hi", **{name: value})


async def _chunks() -> list[Any]:
    return [chunk async for chunk in local().astream("hi")]


DOORS: dict[str, Any] = {
    "invoke": lambda: local().invoke("hi"),
    "ainvoke": lambda: asyncio.run(local().ainvoke("hi")),
    "stream": lambda: list(local().stream("hi")),
    "astream": lambda: asyncio.run(_chunks()),
}


@pytest.mark.parametrize("way", list(DOORS))
def test_without_transformers_the_error_says_what_to_install(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    install = r"pip install 'headrace-huggingface\[pipeline\]'"
    with pytest.raises(MissingPackageError, match=install):
        DOORS[way]()


SECRET = "hf_very-secret-12345"


def test_a_token_is_in_no_repr_dump_pickle_or_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    for given in ({"api_key": SECRET}, {"model_kwargs": {"token": SECRET, "revision": "v1"}}):
        model = local(**given)
        assert model._recipe().token == SECRET
        with pytest.raises(MissingPackageError) as caught:
            model.invoke("hi")
        told = (
            f"{model!r}{model.weights!r}{model._recipe()!r}{model.model_dump_json()}{caught.value}"
        )
        assert SECRET not in told + model._address()
        assert SECRET.encode() not in pickle.dumps(model) + pickle.dumps(model.weights)
        assert pickle.loads(pickle.dumps(model))._recipe().token is None


class FakeTransformers:
    """Notes what `pipeline` is asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def pipeline(self, task: str, **asked: Any) -> Any:
        self.asked = {"task": task, **asked}
        raise OSError("loaded enough")


@pytest.fixture
def transformers(monkeypatch: pytest.MonkeyPatch) -> FakeTransformers:
    made = FakeTransformers()
    monkeypatch.setitem(sys.modules, "transformers", made)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())  # type: ignore[arg-type]
    return made


def test_what_is_of_loading_reaches_the_pipeline(transformers: FakeTransformers) -> None:
    options = {"revision": "v2", "dtype": "bfloat16", "attn_implementation": "eager"}
    model = local(device_map="auto", model_kwargs=options, api_key=lambda: "hf_given")
    with pytest.raises(ModelNotFoundError, match="loaded enough"):
        model.invoke("hi")
    assert transformers.asked == {
        "task": "text-generation", "model": "org/m", "token": "hf_given", "device_map": "auto",
        "revision": "v2", "dtype": "bfloat16", "model_kwargs": {"attn_implementation": "eager"},
    }  # fmt: skip


def test_a_token_of_the_environment_is_used_for_loading(
    transformers: FakeTransformers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUGGINGFACEHUB_API_TOKEN", "hf_env")
    with pytest.raises(ModelNotFoundError):
        asyncio.run(local().ainvoke("hi"))
    assert transformers.asked["token"] == "hf_env"


def test_a_token_that_must_be_awaited_is_refused(transformers: FakeTransformers) -> None:
    async def give() -> str:
        return "never"

    with pytest.raises(ConfigurationError, match="`api_key` is an async function"):
        local(api_key=give).invoke("hi")


def test_equal_recipes_share_their_weights_and_others_do_not() -> None:
    one, other = local(temperature=0), local(max_tokens=4)
    assert one.weights is other.weights is one.model_copy(update={"top_p": 0.5}).weights
    assert local(device=0).weights is not one.weights
    odd = {"model_kwargs": {"quantization_config": bytearray()}}
    assert local(**odd).weights is not local(**odd).weights


def test_a_pipeline_of_ones_own_brings_its_name_and_task() -> None:
    model = SimpleNamespace(config=SimpleNamespace(name_or_path="org/own"))
    pipe = FakePipe(model)
    made = ChatHuggingFace(llm=HuggingFacePipeline(pipeline=pipe))
    assert (made.model, made.task) == ("org/own", "image-text-to-text")
    with pytest.raises(InputError, match="is of loading"):
        ChatHuggingFacePipeline(pipeline=pipe, device=0)


class FakePipe:
    """What is read of a pipeline when a model is made around it."""

    task = "image-text-to-text"

    def __init__(self, model: Any) -> None:
        self.model = model


def test_prices_of_servers_are_not_those_of_a_local_model() -> None:
    profile = local(model="openai/gpt-oss-120b").profile
    assert "cost" not in profile
    assert profile["structured_output"] is False


def test_an_object_is_asked_for_in_words_and_a_schema_refused() -> None:
    schema = {"title": "P", "type": "object", "properties": {"a": {"type": "string"}}}
    with pytest.raises(UnsupportedParameterError):
        local().with_structured_output(schema, method="json_schema").invoke("hi")


def test_images_go_to_the_models_that_see_them() -> None:
    talk = [HumanMessage(["Look:", image(PNG)])]
    [message] = body_of(local(task="image-text-to-text"), talk)["messages"]
    assert [part["type"] for part in message["content"]] == ["text", "image"]
    with pytest.raises(UnsupportedContentError):
        body_of(local(), talk)


def test_a_conversation_with_calls_is_told_as_templates_take_it() -> None:
    call = {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "toolu_01"}
    think: Any = [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "I call."}]
    talk = [
        HumanMessage("go"), AIMessage(think, tool_calls=[call]),
        ToolMessage("done", tool_call_id="toolu_01"),
    ]  # fmt: skip
    _, said, result = body_of(local(), talk)["messages"]
    assert (said["content"], said["reasoning_content"]) == ("I call.", "Hm.")
    [made] = said["tool_calls"]
    assert made["function"] == {"name": "f", "arguments": {"a": 1}}
    assert result == {
        "role": "tool", "content": "done", "name": "f", "tool_call_id": made["id"],
    }  # fmt: skip
    assert len(made["id"]) == 9


def test_stricter_forms_keep_every_text() -> None:
    talk = [
        SystemMessage("s1"), HumanMessage("u1"), HumanMessage("u2"), SystemMessage("s2"),
        AIMessage("a1"), HumanMessage("u3"),
    ]  # fmt: skip
    chat = body_of(local(), talk)["messages"]
    found = list(forms(chat))
    assert [[m["role"] for m in form] for form, _ in found] == [
        ["system", "user", "user", "system", "assistant", "user"],
        ["system", "user", "user", "assistant", "user"],
        ["system", "user", "assistant", "user"],
        ["user", "assistant", "user"],
    ]
    for form, _ in found:
        assert missing(chat, (), "\n".join(m["content"] for m in form)) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("GatedRepoError", ModelPermissionDeniedError),
        ("RepositoryNotFoundError", ModelNotFoundError),
        ("LocalEntryNotFoundError", ModelConnectionError),
    ],
)
def test_errors_of_the_hub_are_found_behind_others(name: str, kind: type[ModelError]) -> None:
    told = OSError("org/m cannot be loaded")
    told.__cause__ = type(name, (Exception,), {})("no")
    found = _loading_error(told, Recipe("org/m"))
    assert type(found) is kind
    assert not found.is_retryable  # type: ignore[attr-defined]


def test_a_token_that_is_refused_is_an_error_of_the_account() -> None:
    refused = Exception("no")
    refused.response = SimpleNamespace(status_code=401)  # type: ignore[attr-defined]
    told = OSError("cannot be loaded")
    told.__context__ = refused
    assert isinstance(_loading_error(told, Recipe("org/m")), ModelAuthenticationError)
