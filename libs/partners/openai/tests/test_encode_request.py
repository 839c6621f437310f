from __future__ import annotations

from typing import Any

import pytest

from headrace.chat_models import Notes, ResponseFormat, Settings, Timeout, Watch
from headrace.chat_models.adapting import adapt
from headrace.errors import InputError, UnsupportedParameterError
from headrace.messages import HumanMessage
from headrace_openai.dialects import COMPATIBLE, DIALECTS, OPENAI, Dialect
from headrace_openai.encode import encode
from headrace_openai.parameters import wire_of

TOOL = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
WATCH = Watch(Timeout())


def body(
    dialect: Dialect = OPENAI,
    *,
    stream: bool = False,
    notes: Notes | None = None,
    params: Any = None,
    tools: Any = (),
    choice: Any = None,
    form: Any = None,
    stop: Any = (),
) -> dict[str, Any]:
    """The request for one message under these settings, of a model that nobody knows."""
    given = {"model": "m", **(params or {})}
    settings = Settings(given, WATCH, tuple(tools), choice, form, stop, notes or quiet())
    settings = adapt(settings, {}, wire_of(dialect), "m", settings.notes)
    return encode([HumanMessage("hi")], settings, dialect, stream=stream)


def quiet() -> Notes:
    """Notes whose warnings stay in a list."""
    return Notes("adapt", "raise", "m", [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0), ("top_p", 0.5), ("n", 2), ("seed", 7), ("logprobs", True),
        ("logit_bias", {"5": -100}), ("presence_penalty", 1.0), ("frequency_penalty", -1.0),
        ("verbosity", "low"), ("service_tier", "flex"), ("store", False), ("user", "u"),
        ("safety_identifier", "s"), ("prompt_cache_key", "k"), ("prompt_cache_retention", "24h"),
        ("prompt_cache_options", {"mode": "explicit"}), ("modalities", ("text", "audio")),
        ("audio", {"voice": "alloy", "format": "wav"}), ("prediction", {"type": "content"}),
        ("web_search_options", {}), ("moderation", {"model": "x"}), ("reasoning_effort", "low"),
    ],
)  # fmt: skip
def test_each_parameter_is_in_the_body(name: str, value: Any) -> None:
    assert body(params={name: value})[name] == value


def test_what_is_not_set_is_not_sent() -> None:
    assert body() == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("id", "field"),
    [("openai", "max_completion_tokens"), ("openai_compatible", "max_tokens")],
)
def test_the_bound_of_the_answer_has_the_name_of_the_dialect(id: str, field: str) -> None:
    assert body(DIALECTS[id], params={"max_tokens": 9})[field] == 9


def test_mistral_calls_the_seed_random() -> None:
    assert body(DIALECTS["mistral_openai"], params={"seed": 9})["random_seed"] == 9


def test_top_logprobs_ask_for_logprobs_too() -> None:
    assert body(params={"top_logprobs": 3})["logprobs"] is True


def test_stop_words_are_a_list() -> None:
    assert body(stop=("a", "b"))["stop"] == ["a", "b"]


def test_model_kwargs_and_extra_body_reach_the_body_and_win() -> None:
    given = {
        "temperature": 1.0,
        "model_kwargs": {"temperature": 0.5, "a": 1},
        "extra_body": {"b": 2},
    }
    sent = body(params=given)
    assert (sent["temperature"], sent["a"], sent["b"]) == (0.5, 1, 2)


def test_a_stream_asks_for_its_usage() -> None:
    sent = body(stream=True)
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})


@pytest.mark.parametrize(
    ("id", "params"), [("mistral_openai", {}), ("openai", {"stream_usage": False})]
)
def test_a_stream_does_not_ask_where_it_must_not(id: str, params: Any) -> None:
    assert "stream_options" not in body(DIALECTS[id], stream=True, params=params)


def test_stream_options_of_the_caller_stand() -> None:
    given = {"stream_options": {"include_obfuscation": False}}
    assert body(stream=True, params=given)["stream_options"] == given["stream_options"]


@pytest.mark.parametrize(
    ("id", "effort", "sent"),
    [
        ("openai", "high", {"reasoning_effort": "high"}),
        ("openai", 900, {"reasoning_effort": "low"}),
        ("openai", 9000, {"reasoning_effort": "high"}),
        ("openai", 10**6, {"reasoning_effort": "high"}),
        ("openai", 0, {"reasoning_effort": "none"}),
        ("openrouter", "low", {"reasoning": {"effort": "low"}}),
        ("openrouter", 2000, {"reasoning": {"max_tokens": 2000}}),
        ("deepseek", "none", {"thinking": {"type": "disabled"}}),
        ("deepseek", "max", {"reasoning_effort": "max"}),
        ("dashscope_openai", "none", {"enable_thinking": False}),
        ("dashscope_openai", "low", {"enable_thinking": True, "thinking_budget": 1024}),
        ("dashscope_openai", 5000, {"enable_thinking": True, "thinking_budget": 5000}),
        ("llama_api", "low", {}),
    ],
)
def test_effort_is_said_as_the_dialect_says_it(id: str, effort: Any, sent: Any) -> None:
    plain = body(DIALECTS[id])
    assert body(DIALECTS[id], params={"reasoning_effort": effort}) == {**plain, **sent}


def test_effort_that_is_changed_is_recorded() -> None:
    notes = quiet()
    body(params={"reasoning_effort": 900}, notes=notes)
    assert (notes.records[0]["asked"], notes.records[0]["sent"]) == (900, "low")


def test_a_negative_number_of_tokens_is_refused() -> None:
    with pytest.raises(InputError, match="-1"):
        body(params={"reasoning_effort": -1})


# Tools and formats.


def test_a_tool_is_a_function() -> None:
    assert body(tools=[TOOL])["tools"] == [{"type": "function", "function": TOOL}]


def test_strict_goes_only_where_it_is_known() -> None:
    strict = {**TOOL, "strict": True}
    assert body(tools=[strict])["tools"][0]["function"]["strict"] is True
    notes = quiet()
    sent = body(COMPATIBLE, tools=[strict], notes=notes)
    assert "strict" not in sent["tools"][0]["function"]
    assert notes.records[0]["action"] == "left out"


def test_a_tool_of_the_service_passes_as_it_is() -> None:
    tool = {"type": "openrouter:web_search", "parameters": {"max_uses": 1}}
    assert body(DIALECTS["openrouter"], tools=[tool])["tools"] == [tool]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        ("f", {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_tool_choices(choice: str, sent: Any) -> None:
    assert body(tools=[TOOL], choice=choice)["tool_choice"] == sent


def test_a_subset_of_tools_is_named_or_the_others_are_left_out() -> None:
    tools = [TOOL, {**TOOL, "name": "g"}]
    named = body(tools=tools, choice=("f",))
    function = {"type": "function", "function": {"name": "f"}}
    allowed = {"mode": "required", "tools": [function]}
    assert named["tool_choice"] == {"type": "allowed_tools", "allowed_tools": allowed}
    assert len(named["tools"]) == 2
    cut = body(COMPATIBLE, tools=tools, choice=("f",))
    assert (len(cut["tools"]), cut["tool_choice"]) == (1, "required")


def test_parallel_calls_are_a_word_about_tools() -> None:
    given = {"parallel_tool_calls": False}
    assert body(tools=[TOOL], params=given)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in body(params=given)
    assert "parallel_tool_calls" not in body(DIALECTS["deepseek"], tools=[TOOL], params=given)


def test_tools_where_there_are_none_are_refused() -> None:
    with pytest.raises(UnsupportedParameterError, match="perplexity"):
        body(DIALECTS["perplexity"], tools=[TOOL])


def test_a_json_schema_is_a_response_format() -> None:
    schema = {"type": "object", "properties": {}}
    sent = body(form=ResponseFormat("Out", schema, "json_schema", True))["response_format"]
    inner = {"name": "Out", "schema": schema, "strict": True}
    assert sent == {"type": "json_schema", "json_schema": inner}


def test_json_mode_is_a_json_object() -> None:
    form = ResponseFormat("Out", None, "json_mode")
    assert body(form=form)["response_format"] == {"type": "json_object"}


def test_a_schema_where_none_is_taken_is_refused_with_what_to_do() -> None:
    form = ResponseFormat("Out", {"type": "object"})
    with pytest.raises(UnsupportedParameterError, match="function_calling"):
        body(DIALECTS["deepseek"], form=form)
