"""`with_structured_output`: asks for an object, reads it, and if need be asks again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from typing_extensions import TypedDict

from headrace.chat_models.answers import Reading, feedback, is_askable, read_answer
from headrace.chat_models.caching import fresh
from headrace.chat_models.grouping import Grouping
from headrace.chat_models.model import Model
from headrace.chat_models.partials import Growing
from headrace.chat_models.settings import Call
from headrace.engine import observe
from headrace.engine.drive import close
from headrace.engine.hooks import provide
from headrace.errors import InputError, StructuredOutputError
from headrace.messages import AIMessage, convert_to_messages, message_chunk_to_message

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.chat_models.schema import OutputSchema
    from headrace.engine.run import Run

T = TypeVar("T")


class StructuredAnswer(TypedDict, Generic[T]):
    """What `include_raw=True` gives: the message, and the object or why there is none."""

    raw: AIMessage
    parsed: T | None
    parsing_error: StructuredOutputError | None


@dataclass(slots=True)
class _Asking:
    """The request to make next, and how many were made for this answer."""

    input: Any
    call: Call
    made: int = 0
    retries: int = 0
    renewed: bool = False

    def after(self, schema: OutputSchema, message: AIMessage, reading: Reading) -> bool:
        """Whether to make another request; if so this says which."""
        error = reading.error
        if error is None or not is_askable(schema, message):
            return False
        told = message.response_metadata.get("structured_output") or {}
        if told.get("then") and not self.call.rung and not message.tool_calls:
            self.call = replace(self.call, rung=1)  # as asked, but without reasoning
            return True
        if not self.retries:
            return self._anew(message)
        self.retries -= 1
        self.input = [*convert_to_messages(self.input), *feedback(message, error)]
        return True

    def _anew(self, message: AIMessage) -> bool:
        """Whether the last misfit was only a cache's, and the model itself is asked once."""
        if not message.response_metadata.get("cached") or self.renewed:
            return False
        self.call, self.renewed = fresh(self.call), True
        return True


class Parse(Grouping):
    """`with_structured_output`: asks for an object and reads it from the answer."""

    __slots__ = ("include_raw", "retries", "schema")
    word = "with_structured_output"

    def __init__(self, schema: OutputSchema, include_raw: bool, retries: int = 0) -> None:
        if retries < 0:
            raise InputError(f"`retries` is the number of further requests, not {retries!r}")
        self.schema, self.include_raw, self.retries = schema, include_raw, retries

    def asking(self, call: Call) -> Call:
        return call.over(Call(schema=self.schema))

    async def _answer(self, inner: Model[Any], input: Any, call: Call, run: Run) -> Any:
        asking = _Asking(input, self.asking(call), retries=self.retries)
        while True:
            message = await inner._ask(asking.input, asking.call, run)
            asking.made += 1
            if call.passes_calls and self._calls_others(message):
                return message
            reading = await self._read(message, run)
            if not asking.after(self.schema, message, reading):
                return self._result(message, reading, asking.made)

    async def _read(self, message: AIMessage, run: Run) -> Reading:
        reading = Reading()

        async def parse(message: AIMessage, run: Run) -> Any:
            reading.value, reading.repairs = read_answer(self.schema, message)
            return reading.value

        try:
            if run.observed:
                await observe.value(run, self.schema.name, "parser", message, parse)
            else:
                await parse(message, run)
        except StructuredOutputError as error:
            reading.error = error
        return reading

    def _result(self, message: AIMessage, reading: Reading, made: int) -> Any:
        """The object; what it took stands in the message's metadata."""
        told = {"attempts": made} | ({"repairs": reading.repairs} if reading.repairs else {})
        known = message.response_metadata.get("structured_output") or {}
        message.response_metadata["structured_output"] = {**known, **told}
        if reading.error is not None:
            reading.error.attempts = made
            if not self.include_raw:
                raise reading.error
        if not self.include_raw:
            return reading.value
        return {"raw": message, "parsed": reading.value, "parsing_error": reading.error}

    async def _answer_stream(
        self, inner: Model[Any], input: Any, call: Call, run: Run
    ) -> AsyncGenerator[Any, None]:
        """Objects so far; after a list's first item nothing is asked again."""
        asking = _Asking(input, self.asking(call), retries=self.retries)
        while True:
            growing, total = Growing(self.schema, call.passes_calls), None
            items = inner._ask_stream(asking.input, asking.call, run)
            try:
                async for chunk in items:
                    total = chunk if total is None else total + chunk
                    if call.passes_calls:
                        yield chunk
                    if not self.include_raw and chunk.chunk_position != "last":
                        for value in growing.feed(total):
                            yield value
            finally:
                await close(items)
            if total is None:
                return
            asking.made += 1
            message = cast("AIMessage", message_chunk_to_message(total))
            if call.passes_calls and self._calls_others(message):
                return
            reading = await self._read(message, run)
            kept = growing.items and not call.passes_calls
            if kept or not asking.after(self.schema, message, reading):
                break
        result = self._result(message, reading, asking.made)
        for value in [result] if self.include_raw else growing.finish(result):
            yield value

    def _calls_others(self, message: Any) -> bool:
        """Whether an answer calls tools, none of them the schema's own."""
        calls = (*message.tool_calls, *message.invalid_tool_calls)
        return bool(calls) and all(call["name"] != self.schema.name for call in calls)

    def __repr__(self) -> str:
        return f"with_structured_output({self.schema.name})"


provide("parse_layer", Parse)
