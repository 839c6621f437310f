"""The kinds of message, by who speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

from headrace.deferred import pydantic_core
from headrace.errors import InputError
from headrace.messages.blocks import ContentBlock, InvalidToolCall, ToolCall
from headrace.messages.calls import read_invalid_tool_call, read_tool_call, split_calls
from headrace.messages.canonical import canonical_block
from headrace.messages.message import BaseMessage, BlocksInput, ContentInput
from headrace.messages.usage import UsageMetadata


class SystemMessage(BaseMessage):
    """Instructions that frame the whole conversation."""

    __slots__ = ()
    type: ClassVar[str] = "system"


class DeveloperMessage(BaseMessage):
    """Instructions of the application's developer, for models that rank them above a user's."""

    __slots__ = ()
    type: ClassVar[str] = "developer"


class HumanMessage(BaseMessage):
    """What the user says."""

    __slots__ = ()
    type: ClassVar[str] = "human"


class AIMessage(BaseMessage):
    """What the model says.

    `tool_calls` is the truth about calls: blocks of the content mark where each call stands
    and are collected at construction unless `tool_calls` is given.
    """

    __slots__ = ("invalid_tool_calls", "tool_calls", "usage_metadata")
    type: ClassVar[str] = "ai"
    _fields: ClassVar[tuple[str, ...]] = (
        *BaseMessage._fields, "tool_calls", "invalid_tool_calls", "usage_metadata",
    )  # fmt: skip

    tool_calls: list[ToolCall]
    invalid_tool_calls: list[InvalidToolCall]
    usage_metadata: UsageMetadata | None

    def __init__(
        self,
        content: ContentInput = None,
        *,
        content_blocks: BlocksInput = None,
        tool_calls: Sequence[Mapping[str, object]] | None = None,
        invalid_tool_calls: Sequence[Mapping[str, object]] | None = None,
        usage_metadata: UsageMetadata | None = None,
        name: str | None = None,
        id: str | None = None,
        additional_kwargs: Mapping[str, Any] | None = None,
        response_metadata: Mapping[str, Any] | None = None,
    ) -> None:
        BaseMessage.__init__(
            self, content, content_blocks=content_blocks, name=name, id=id,
            additional_kwargs=additional_kwargs, response_metadata=response_metadata,
        )  # fmt: skip
        self.usage_metadata = usage_metadata
        self.tool_calls = [] if tool_calls is None else [read_tool_call(c) for c in tool_calls]
        self.invalid_tool_calls = (
            [] if invalid_tool_calls is None
            else [read_invalid_tool_call(c) for c in invalid_tool_calls]
        )  # fmt: skip
        if self.content.__class__ is list and (tool_calls is None or invalid_tool_calls is None):
            calls, invalid = split_calls(self.content)
            if tool_calls is None:
                self.tool_calls = calls
            if invalid_tool_calls is None:
                self.invalid_tool_calls = invalid

    @property
    def content_blocks(self) -> list[ContentBlock]:
        """The content as canonical typed blocks, each call where its block stands, made anew."""
        blocks = [canonical_block(part) for part in self._parts()]
        said = self.additional_kwargs.get("reasoning_content")
        if isinstance(said, str) and not any(b["type"] == "reasoning" for b in blocks):
            blocks.insert(0, {"type": "reasoning", "reasoning": said})
        return place_calls(blocks, [*self.tool_calls, *self.invalid_tool_calls])


class ToolMessage(BaseMessage):
    """What a tool gave back for the call `tool_call_id`; `artifact` is never sent to a model."""

    __slots__ = ("artifact", "status", "tool_call_id")
    type: ClassVar[str] = "tool"
    _fields: ClassVar[tuple[str, ...]] = (
        *BaseMessage._fields, "tool_call_id", "artifact", "status",
    )  # fmt: skip

    tool_call_id: str
    artifact: Any
    status: Literal["success", "error"]

    def __init__(
        self,
        content: Any = None,
        tool_call_id: Any = None,
        *,
        content_blocks: BlocksInput = None,
        artifact: Any = None,
        status: Literal["success", "error"] = "success",
        name: str | None = None,
        id: str | None = None,
        additional_kwargs: Mapping[str, Any] | None = None,
        response_metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if tool_call_id is None:
            raise InputError("ToolMessage needs `tool_call_id`, the id of the call it answers")
        if status != "success" and status != "error":
            raise InputError(f"`status` of ToolMessage is 'success' or 'error', not {status!r}")
        if content is not None and not isinstance(content, str):
            content = _tool_content(content)
        BaseMessage.__init__(
            self, content, content_blocks=content_blocks, name=name, id=id,
            additional_kwargs=additional_kwargs, response_metadata=response_metadata,
        )  # fmt: skip
        self.tool_call_id = tool_call_id if tool_call_id.__class__ is str else str(tool_call_id)
        self.artifact = artifact
        self.status = status

    def _repr_parts(self) -> list[str]:
        return [p for p in super()._repr_parts() if p != "status='success'"]


class ChatMessage(BaseMessage):
    """A message of any `role`, for models with roles of their own."""

    __slots__ = ("role",)
    type: ClassVar[str] = "chat"
    _fields: ClassVar[tuple[str, ...]] = (*BaseMessage._fields, "role")

    role: str

    def __init__(
        self,
        content: ContentInput = None,
        role: str | None = None,
        *,
        content_blocks: BlocksInput = None,
        name: str | None = None,
        id: str | None = None,
        additional_kwargs: Mapping[str, Any] | None = None,
        response_metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if not role or role.__class__ is not str:
            raise InputError(f"ChatMessage needs a `role`; found {role!r}")
        BaseMessage.__init__(
            self, content, content_blocks=content_blocks, name=name, id=id,
            additional_kwargs=additional_kwargs, response_metadata=response_metadata,
        )  # fmt: skip
        self.role = role


class RemoveMessage(BaseMessage):
    """An order to take the message `id` out of a stored conversation."""

    __slots__ = ()
    type: ClassVar[str] = "remove"

    def __init__(self, id: str, **fields: Any) -> None:
        if fields.pop("content", None):
            raise InputError("RemoveMessage has no content")
        BaseMessage.__init__(self, "", id=id, **fields)

    def _repr_parts(self) -> list[str]:
        return super()._repr_parts()[1:]


def place_calls(
    blocks: list[ContentBlock], calls: Sequence[ToolCall | InvalidToolCall]
) -> list[ContentBlock]:
    """`blocks` with each call from `calls` where its block stands, and the others at the end.

    A block whose call is not among `calls` is left out: it was deleted.
    """
    waiting: list[ToolCall | InvalidToolCall] = list(calls)
    placed: list[ContentBlock] = []
    for block in blocks:
        if block["type"] != "tool_call" and block["type"] != "invalid_tool_call":
            placed.append(block)
            continue
        for call in waiting:
            same = call["id"] == block["id"] if block.get("id") else call["name"] == block["name"]
            if same:
                waiting.remove(call)
                placed.append(_copy_call(call, block))
                break
    placed.extend(cast("ContentBlock", dict(call)) for call in waiting)
    return placed


def _copy_call(call: Any, block: Any) -> ContentBlock:
    # What only the block carries (a signature, its place in the stream) stays with the call.
    kept = {key: block[key] for key in ("extras", "index") if key in block}
    return cast("ContentBlock", {**kept, **call})


def _tool_content(content: Any) -> Any:
    if isinstance(content, list | tuple):
        plain = all(isinstance(part, str | dict) for part in content)
        return content if plain else pydantic_core.to_json(content, serialize_unknown=True).decode()
    return pydantic_core.to_json(content, serialize_unknown=True).decode()
