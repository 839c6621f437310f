"""ToolCallsOutputParser: the tool calls of a message, as dicts or as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError

from headrace.errors import InputError, OutputParserError
from headrace.messages import AIMessage, BaseMessage
from headrace.runnables.base import Runnable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from headrace.engine.run import Run


class ToolCallsOutputParser(Runnable[BaseMessage, Any]):
    """The calls of a message; with `tools`, pydantic models, each call as an instance.

    `name` keeps only the calls of one tool, `first_only` gives the first or None. A call that
    is cut off or does not fit is an OutputParserError.
    """

    __slots__ = ("first_only", "name", "tools")
    run_type = "parser"

    def __init__(
        self,
        tools: Sequence[type[BaseModel]] | None = None,
        *,
        name: str | None = None,
        first_only: bool = False,
    ) -> None:
        self.tools = None if tools is None else {tool.__name__: tool for tool in tools}
        self.name, self.first_only = name, first_only

    async def _invoke(self, input: BaseMessage, run: Run) -> Any:
        if not isinstance(input, AIMessage):
            raise InputError(f"tool calls stand in an AIMessage, not in {input!r}")
        for call in input.invalid_tool_calls:
            if self.name in (None, call["name"]):
                raise OutputParserError(f"the call of `{call['name']}`: {call['error']}")
        calls = [call for call in input.tool_calls if self.name in (None, call["name"])]
        found = [self._object(call) for call in calls]
        return (found[0] if found else None) if self.first_only else found

    def _object(self, call: Any) -> Any:
        if self.tools is None:
            return call
        tool = self.tools.get(call["name"])
        if tool is None:
            known = ", ".join(f"`{name}`" for name in self.tools)
            raise OutputParserError(f"the model called `{call['name']}`; known are {known}")
        try:
            return tool.model_validate(call["args"])
        except ValidationError as error:
            wrong = "; ".join(
                f"`{'.'.join(map(str, item['loc']))}`: {item['msg']}"
                for item in error.errors(include_url=False, include_context=False)
            )
            raise OutputParserError(f"the call of `{call['name']}`: {wrong}") from error

    def __repr__(self) -> str:
        return f"ToolCallsOutputParser({list(self.tools or ())})"
