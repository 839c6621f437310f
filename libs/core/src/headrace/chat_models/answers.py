"""The object in a model's answer, read and where it can be mended, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from headrace.chat_models.schema import MisfitError
from headrace.errors import ModelRefusalError, StructuredOutputError
from headrace.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from headrace.output_parsers.salvage import documents_in

if TYPE_CHECKING:
    from headrace.chat_models.schema import OutputSchema


@dataclass(slots=True)
class Reading:
    """The object, and what was mended to have it; or the error."""

    value: Any = None
    repairs: list[str] = field(default_factory=list)
    error: StructuredOutputError | None = None


def read_answer(schema: OutputSchema, message: AIMessage) -> tuple[Any, list[str]]:
    """The object in a finished message, and what was mended; a cut one is never completed.

    Raises StructuredOutputError with the raw message and the errors.
    """
    refused = refusal_of(message)
    if refused is not None:
        error = failure(schema, message, [f"the model refused: {refused}"])
        raise error from ModelRefusalError(refused)
    try:
        return _read(schema, message)
    except MisfitError as misfit:
        raise failure(schema, message, misfit.errors) from misfit.__cause__


def refusal_of(message: AIMessage) -> str | None:
    """The words in which the model refused, if it did."""
    for block in message.content_blocks:
        if block["type"] == "refusal":
            return str(block.get("refusal") or "without a word")
    if message.response_metadata.get("finish_reason") in ("refusal", "content_filter"):
        return message.text or "without a word"
    return None


def failure(schema: OutputSchema, message: AIMessage, errors: list[str]) -> StructuredOutputError:
    told = "; ".join(errors)
    return StructuredOutputError(
        f"no `{schema.name}` in the model's answer: {told}; the message is in `.raw`",
        raw=message,
        errors=errors,
    )


def _read(schema: OutputSchema, message: AIMessage) -> tuple[Any, list[str]]:
    mine = [call["args"] for call in message.tool_calls if call["name"] == schema.name]
    if any(args != mine[0] for args in mine):
        raise MisfitError([f"the model called `{schema.name}` {len(mine)} times, for one object"])
    if mine:
        return schema.made_of(mine[0])
    if message.tool_calls:
        names = ", ".join(f"`{call['name']}`" for call in message.tool_calls)
        raise MisfitError([f"the model called {names} instead"])
    if message.invalid_tool_calls:
        call_error = str(message.invalid_tool_calls[0].get("error"))
        raise MisfitError([f"the call cannot be read: {call_error}"])
    text = message.text.strip()
    if not text:
        raise MisfitError(["the model answered with no text and no call"])
    try:
        value = from_json(text.encode(), allow_inf_nan=False)
    except ValueError as error:
        if schema.repair and text[:1] != '"':
            return _salvaged(schema, message, text, str(error))
        raise MisfitError([_not_json(message, str(error))]) from error
    return schema.made_of(value)


def _salvaged(
    schema: OutputSchema, message: AIMessage, text: str, why: str
) -> tuple[Any, list[str]]:
    """The one document among prose and fences that is of the schema."""
    found = documents_in(text)
    if not (found.values or found.cut) and (bare := schema.named_by(text)) is not None:
        return bare
    if found.cut or not found.values:
        raise MisfitError([_not_json(message, "it is cut off" if found.cut else why)])
    errors: list[str] = []
    fitting: list[tuple[Any, list[str]]] = []
    for value in found.values:
        try:
            fitting.append(schema.made_of(value))
        except MisfitError as misfit:
            errors = errors or misfit.errors
    if not fitting:
        raise MisfitError(errors)
    if any(value != fitting[0][0] for value, _ in fitting[1:]):
        raise MisfitError([f"the text holds {len(fitting)} different objects of the schema"])
    value, mended = fitting[0]
    if found.loose:
        mended = ["read JSON that was not strictly written", *mended]
    return value, ["took the JSON out of the text around it", *mended]


def _not_json(message: AIMessage, why: str) -> str:
    if message.response_metadata.get("finish_reason") == "length":
        return f"not JSON: the answer was cut off at `max_tokens` ({why})"
    return f"not JSON: {why}"


def is_askable(schema: OutputSchema, message: AIMessage) -> bool:
    """Whether to ask again may help: not after a refusal, nor for one that wants other tools."""
    names = [call["name"] for call in message.tool_calls]
    return refusal_of(message) is None and (not names or schema.name in names)


def feedback(message: AIMessage, error: StructuredOutputError) -> list[BaseMessage]:
    """The answer, and what was wrong with it, as messages to ask again with."""
    wrong = "; ".join(error.errors)
    said = f"That answer cannot be used: {wrong}. Give it again, whole and corrected."
    calls = message.tool_calls
    if calls and all(call["id"] for call in calls) and not message.invalid_tool_calls:
        results = (ToolMessage(said, tool_call_id=c["id"], status="error") for c in calls)
        return [message, *results]
    broken = [str(call["args"]) for call in message.invalid_tool_calls if call.get("args")]
    text = message.text or "\n".join(broken)
    return [AIMessage(text), HumanMessage(said)] if text else [HumanMessage(said)]
