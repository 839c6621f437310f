"""How an object of a schema is asked for: by parameter, by tool, or in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from headrace.chat_models.settings import ResponseFormat, Settings
from headrace.errors import InputError
from headrace.messages import BaseMessage, DeveloperMessage, SystemMessage
from headrace.tools.compiling import SchemaDialect, compile_schema

if TYPE_CHECKING:
    from headrace.chat_models.notes import Notes
    from headrace.chat_models.schema import OutputSchema

EFFORT = "reasoning_effort"


@dataclass(frozen=True, slots=True)
class Shape:
    """The way that was chosen, and what it puts into messages; `records` say what it changed.

    `instruction` is left out where a message says `unless` already. `then`: what may be tried
    if the model, free to choose, gives no object. `schema`: what no parameter carries.
    """

    method: str
    instruction: str | None = None
    unless: str | None = None
    records: tuple[tuple[str, Any, Any, str], ...] = ()
    then: str | None = None
    schema: Mapping[str, Any] | None = None

    def report(self) -> dict[str, Any]:
        """What an answer's metadata say of it."""
        return {"method": self.method} | ({"then": self.then} if self.then else {})


def shape(
    settings: Settings,
    schema: OutputSchema,
    method: str,
    facts: Mapping[str, Any],
    rung: int,
    refused: str | None = None,
) -> Settings:
    """The settings that ask for an object by this method; `rung` 1: without reasoning.

    `refused`: why it is not asked for by `json_schema`, which comes first where there is one.
    """
    made = _shaped_by(settings, schema, method, facts, rung)
    if refused is None or made.shape is None:
        return made
    record = ("method", "json_schema", method, refused)
    return replace(made, shape=replace(made.shape, records=(record, *made.shape.records)))


def why_refused(schema: OutputSchema, dialect: SchemaDialect | None) -> str | None:
    """Why a service cannot enforce a schema, if it cannot."""
    if dialect is None:
        return None
    try:
        compile_schema(schema.request_schema(), dialect)
    except InputError as error:
        return str(error)
    return None


def _shaped_by(
    settings: Settings, schema: OutputSchema, method: str, facts: Mapping[str, Any], rung: int
) -> Settings:
    if method == "function_calling":
        return _by_tool(settings, schema, facts, rung)
    if method == "prompted":
        told = Shape(method, schema.instruction(), schema=schema.request_schema())
        return replace(settings, shape=told)
    if method == "json_mode":
        form = ResponseFormat(schema.name, None, "json_mode", schema.strict)
        # A service that takes it refuses a request in which no message says JSON.
        told = Shape(method, schema.instruction(), unless="json", schema=schema.request_schema())
        return replace(settings, response_format=form, shape=told)
    form = ResponseFormat(schema.name, schema.request_schema(), "json_schema", schema.strict)
    return replace(settings, response_format=form, shape=Shape(method))


def _by_tool(
    settings: Settings, schema: OutputSchema, facts: Mapping[str, Any], rung: int
) -> Settings:
    asked = settings.tool_choice or ("any" if settings.tools else schema.name)
    if isinstance(asked, tuple) and schema.name not in asked:
        asked = (*asked, schema.name)
    tools = (*(t for t in settings.tools if t.get("name") != schema.name), schema.tool())
    settings = replace(settings, tools=tools, tool_choice=asked)
    told = Shape("function_calling")
    why = None
    if asked in ("auto", "none"):
        return replace(settings, shape=told)
    if facts.get("tool_choice") is False:
        why = "the model cannot be made to call a tool"
    elif facts.get("forced_tool_while_reasoning") is False and reasons(settings.params, facts):
        if rung and can_rest(facts):
            effort = settings.params.get(EFFORT)
            record = (EFFORT, effort, "none", "it gave no object while it reasoned")
            params = {**settings.params, EFFORT: "none"}
            return replace(settings, params=params, shape=replace(told, records=(record,)))
        why = "the model cannot be made to call a tool while it reasons"
        told = replace(told, then="without_reasoning" if can_rest(facts) else None)
    if why is not None:
        instruction = f"Give your answer by calling the tool `{schema.name}`."
        record = ("tool_choice", asked, "auto", why)
        told = replace(told, instruction=instruction, records=(record,))
        settings = replace(settings, tool_choice="auto")
    return replace(settings, shape=told)


def reasons(params: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether the request will make the model reason, as far as is known."""
    effort = params.get(EFFORT)
    if effort is not None:
        return effort not in ("none", 0)
    return bool(facts.get("reasoning_output")) and facts.get("reasoning_effort_default") != "none"


def can_rest(facts: Mapping[str, Any]) -> bool:
    """Whether reasoning can be switched off."""
    return facts.get("reasoning_toggle") is True or "none" in (
        facts.get("reasoning_effort_levels") or ()
    )


def shaped(
    messages: Sequence[BaseMessage], shape: Shape | None, notes: Notes
) -> Sequence[BaseMessage]:
    """The messages with the instruction of a shape, which the notes record."""
    if shape is None:
        return messages
    for name, asked, sent, reason in shape.records:
        notes.record(name, asked, sent, "translated", reason)
    said, word = shape.instruction, shape.unless
    if said is None or (word and any(word in message.text.lower() for message in messages)):
        return messages
    why = f"`method={shape.method!r}` tells the model in words what to answer with"
    if word:
        why = "services that take JSON mode want the word JSON in a message"
    notes.record("system", None, said, "added", why)
    first = messages[0] if messages else None
    if not isinstance(first, SystemMessage | DeveloperMessage):
        return [SystemMessage(said), *messages]
    whole = first.model_copy()
    if isinstance(first.content, str):
        whole.content = f"{first.content}\n\n{said}" if first.content else said
    else:
        whole.content = [*first.content, {"type": "text", "text": said}]
    return [whole, *messages[1:]]
