"""Policies: what a model cannot take is changed, sent, dropped or refused, and recorded."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from headrace.chat_models import BaseChatModel, Wire
from headrace.errors import InputError, UnsupportedContentError, UnsupportedParameterError
from headrace.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, image
from headrace.messages import file as file_block

FACTS = {
    "temperature": True,
    "parameters": {"temperature": {"minimum": 0, "maximum": 1}, "seed": False},
    "max_output_tokens": 4000,
    "reasoning_budget": [1024, 32000],
    "image_inputs": False,
}
RENAMING = Wire(service="svc", names={"max_tokens": "limit"})
TOOL = {"name": "f", "description": "", "parameters": {"type": "object", "properties": {}}}
PNG = b"\x89PNG\r\n\x1a\n"


class Recorder(BaseChatModel):
    """Tells in its answer what it was sent; `seed` is a parameter as a partner has them."""

    seed: int | None = None
    parallel_tool_calls: bool | None = None

    def _wire(self) -> Wire:
        return RENAMING

    async def _generate(self, messages: Any, settings: Any, run: Any) -> AIMessage:
        return AIMessage(_told(messages, settings), response_metadata={"model_name": "other"})

    async def _stream(self, messages: Any, settings: Any, run: Any) -> Any:
        told = _told(messages, settings)
        yield AIMessageChunk(told[:5], response_metadata={"model_name": "other"})
        yield AIMessageChunk(told[5:])


def _told(messages: Any, settings: Any) -> str:
    names = [tool["name"] for tool in settings.tools]
    content = [message.content for message in messages]
    return json.dumps({**settings.params, "stop": settings.stop, "tools": names, "said": content})


@pytest.fixture(params=["invoke", "stream"])
def ask(request: pytest.FixtureRequest, world: Any) -> Any:
    """(what was sent, records) of a request through one of the four doors."""

    def asked(model: Any, input: Any = "hi") -> tuple[dict[str, Any], list[Any]]:
        answer = (
            world.invoke(model, input)
            if request.param == "invoke"
            else sum(world.stream(model, input))
        )
        return json.loads(answer.text), answer.response_metadata.get("adapted", [])

    return asked


def recorder(name: str, **given: Any) -> Recorder:
    """A model of a name of its own, as warnings come once for each."""
    return Recorder(**{"model": name, "profile": FACTS, **given})


def test_a_value_out_of_range_is_clamped_recorded_and_told_once(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, temperature=1.5)
    with pytest.warns(UserWarning, match=r"`temperature` = 1.5 is sent as 1.0: .* takes 0 to 1"):
        sent, records = ask(model)
    assert sent["temperature"] == 1.0
    assert records == [
        {
            "name": "temperature", "asked": 1.5, "sent": 1.0, "action": "clamped",
            "reason": f"`{model.model}` takes 0 to 1",
        }
    ]  # fmt: skip
    assert ask(model) == (sent, records)  # without another warning, which would be an error


def test_a_warning_policy_sends_as_asked(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, seed=7, temperature=1.5, on_unsupported="warn")
    with pytest.warns(UserWarning, match="is sent as asked, but"):
        sent, records = ask(model)
    assert (sent["seed"], sent["temperature"], records) == (7, 1.5, [])


def test_a_dropping_policy_leaves_out_and_records(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, seed=7, temperature=1.5, on_unsupported="drop")
    sent, records = ask(model)
    assert not {"seed", "temperature"} & sent.keys()
    assert [(r["name"], r["asked"], r["sent"], r["action"]) for r in records] == [
        ("temperature", 1.5, None, "left out"),
        ("seed", 7, None, "left out"),
    ]


def test_a_raising_policy_makes_no_request(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, seed=7, on_unsupported="raise")
    with pytest.raises(UnsupportedParameterError, match=r"`seed` = 7: .* does not take `seed`"):
        ask(model)


@pytest.mark.parametrize("policy", ["adapt", "warn", "drop", "raise"])
def test_a_new_name_loses_nothing_and_is_no_matter_of_policy(policy: Any, ask: Any) -> None:
    (record,) = ask(recorder("m", max_tokens=100, on_unsupported=policy))[1]
    assert (record["sent"], record["action"]) == ({"limit": 100}, "renamed")


def test_a_bound_is_one_record_however_often_it_is_changed(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, max_tokens=9999, reasoning_effort=2000)
    with pytest.warns(UserWarning, match="4000"):
        sent, records = ask(model)
    (record,) = records
    assert (sent["max_tokens"], sent["reasoning_effort"]) == (4000, 2000)
    assert (record["asked"], record["sent"]) == (9999, {"limit": 4000})
    assert record["action"] == "clamped"


def test_a_bound_below_the_budget_is_raised_above_it(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, max_tokens=500, reasoning_effort=1024)
    with pytest.warns(UserWarning, match="above the 1024 tokens of reasoning"):
        sent, records = ask(model)
    assert (sent["max_tokens"], sent["reasoning_effort"]) == (1524, 1024)
    assert [(r["name"], r["action"]) for r in records] == [("max_tokens", "translated")]


def test_what_is_required_is_filled_in_and_never_dropped() -> None:
    class Needy(Recorder):
        def _wire(self) -> Wire:
            return Wire(required={"max_tokens": 4096})

    def sent(**given: Any) -> Any:
        return json.loads(Needy(model="m", **given).invoke("hi").text)["max_tokens"]

    assert sent() == 4096
    assert sent(profile={"max_output_tokens": 64}) == 64
    facts = {"max_output_tokens": 5000, "reasoning_budget": [1024, None]}
    assert sent(max_tokens=10, reasoning_effort=2000, on_unsupported="drop", profile=facts) == 2010


def test_what_nobody_knows_is_sent_as_asked_and_what_is_not_set_is_not_sent(ask: Any) -> None:
    sent, records = ask(Recorder(model="m", seed=7, temperature=1.9, stop=["."]))
    assert (sent["seed"], sent["temperature"], sent["stop"]) == (7, 1.9, ["."])
    assert records == []
    assert ask(Recorder(model="m"))[0].keys() == {"model", "stop", "tools", "said"}


def test_a_condition_decides_by_the_other_parameter(ask: Any, request: Any) -> None:
    limits = {"temperature": {"when": {"reasoning_effort": ["none"]}}}
    facts = {"parameters": limits, "reasoning_effort_levels": ["none", "low"]}
    model = recorder(request.node.name, temperature=0.5, profile=facts)
    assert ask(model.bind(reasoning_effort="none"))[0]["temperature"] == 0.5
    assert ask(model)[0]["temperature"] == 0.5  # nobody knows the default
    with pytest.warns(UserWarning, match="only with `reasoning_effort` = 'none'"):
        assert "temperature" not in ask(model.bind(reasoning_effort="low"))[0]
    by_default = {**facts, "reasoning_effort_default": "low"}
    assert "temperature" not in ask(model.model_copy(update={"profile": by_default}))[0]


def test_a_model_named_by_the_call_is_judged_by_its_own_facts(ask: Any) -> None:
    class Two(Recorder):
        def _known_facts(self) -> Any:
            known = super()._known_facts()
            return known.overridden({"parameters": {"seed": False}}) if self.model == "b" else known

    model = Two(model="a", seed=7, on_unsupported="drop")
    assert ask(model)[0]["seed"] == 7
    assert "seed" not in ask(model.bind(model="b"))[0]


def test_tools_that_a_model_does_not_call_are_refused() -> None:
    model = recorder("m", profile={"tool_calling": False})
    with pytest.raises(UnsupportedParameterError, match=r'leave them out.*on_unsupported="warn"'):
        model.bind_tools([TOOL]).invoke("hi")
    dropping = model.model_copy(update={"on_unsupported": "drop"}).bind_tools([TOOL])
    answer = dropping.invoke("hi")
    assert json.loads(answer.text)["tools"] == []
    assert answer.response_metadata["adapted"][0]["asked"] == ["f"]


def test_a_choice_that_cannot_be_forced_is_left_to_the_model(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, profile={"tool_choice": False})
    with pytest.warns(UserWarning, match="the model chooses itself"):
        sent, records = ask(model.bind_tools([TOOL], tool_choice="any"))
    assert (sent["tools"], records[0]["name"]) == (["f"], "tool_choice")


def test_parallel_calls_without_tools_are_no_question(ask: Any) -> None:
    sent, records = ask(recorder("m", parallel_tool_calls=False))
    assert "parallel_tool_calls" not in sent
    assert records[0]["reason"] == "there are no tools"


# Content.

PICTURE = [HumanMessage(["Look:", image(PNG)])]


def test_a_picture_that_is_not_seen_is_an_error(ask: Any) -> None:
    with pytest.raises(UnsupportedContentError, match="`m` takes no images; describe it in text"):
        ask(recorder("m"), PICTURE)


@pytest.mark.parametrize(("policy", "left"), [("drop", 1), ("describe", 2)])
def test_a_picture_is_dropped_or_described_and_recorded(policy: Any, left: int, ask: Any) -> None:
    sent, (record,) = ask(recorder("m", on_unsupported_content=policy), PICTURE)
    content = sent["said"][0]
    assert (len(content), record["name"]) == (left, "image")
    assert record["asked"] == "image/png, 9 bytes"
    assert record["sent"] == (content[1]["text"] if left == 2 else None)
    assert len(PICTURE[0].content) == 2  # the caller's message is as it was


def test_a_record_does_not_hold_the_secret_part_of_a_url() -> None:
    source = [HumanMessage([image("https://user:pw@host.example/a.png?sig=secret")])]
    model = recorder("m", on_unsupported_content="describe")
    answer = model.invoke(source)
    assert answer.response_metadata["adapted"][0]["asked"] == "image at https://host.example/a.png"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("block", "facts", "refused"),
    [
        (file_block(b"%PDF-1"), {"pdf_inputs": False}, True),
        (file_block(b"plain"), {"pdf_inputs": False}, False),
        (image("https://h.example/a.png"), {"image_url_inputs": False}, True),
        (image(PNG), {"image_url_inputs": False}, False),
        (image(PNG), {}, False),
    ],
)
def test_the_profile_says_what_a_model_sees(block: Any, facts: Any, refused: bool) -> None:
    model = recorder("m", profile=facts)
    report = model.preflight([HumanMessage([block])])
    assert bool(report.errors) is refused


def test_late_system_messages_go_to_the_beginning_where_they_must(ask: Any, request: Any) -> None:
    model = recorder(request.node.name, profile={"mid_conversation_system_messages": False})
    messages = [SystemMessage("a"), HumanMessage("b"), SystemMessage("c")]
    with pytest.warns(UserWarning, match="only at the beginning"):
        sent, records = ask(model, messages)
    assert sent["said"] == ["a\n\nc", "b"]
    assert records[0]["name"] == "system message"
    assert ask(model, messages[:2])[0]["said"] == ["a", "b"]


def test_the_policies_belong_to_the_model() -> None:
    with pytest.raises(InputError, match="on_unsupported"):
        recorder("m").invoke("hi", on_unsupported="drop")
    with pytest.raises(InputError, match="on_unsupported"):
        recorder("m", on_unsupported="ignore")


def test_a_warning_names_each_model_and_parameter_once(request: Any) -> None:
    model = recorder(request.node.name, temperature=1.5, seed=7)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            model.invoke("hi")
    assert sorted(str(one.message)[:6] for one in caught) == ["`seed`", "`tempe"]
