"""headrace's messages as a chat history of Semantic Kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic_core import to_json
from semantic_kernel.contents import (
    AuthorRole,
    ChatHistory,
    ChatMessageContent,
    FunctionCallContent,
    FunctionResultContent,
    ImageContent,
    TextContent,
)

from headrace.chat_models import Notes
from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

_NOT_CARRIED = "Semantic Kernel's clients have no place for it"
# What an answer may hold beside text and calls; it goes back to nobody but its own provider.
_DROPPED = frozenset(
    {"reasoning", "server_tool_call", "server_tool_result", "server_tool_call_chunk",
     "non_standard", "invalid_tool_call"}
)  # fmt: skip


def encode_history(
    messages: Sequence[BaseMessage], notes: Notes, rename: Callable[[str], str]
) -> ChatHistory:
    """The history; `rename` gives the name that a tool has there."""
    called = {call["id"]: call["name"] for m in messages for call in _calls(m) if call["id"]}
    history = ChatHistory()
    for message in messages:
        history.add_message(_encode(message, notes, rename, called))
    return history


def _calls(message: BaseMessage) -> list[Any]:
    return list(message.tool_calls) if isinstance(message, AIMessage) else []


def _encode(
    message: BaseMessage, notes: Notes, rename: Callable[[str], str], called: dict[Any, str]
) -> ChatMessageContent:
    match message:
        case AIMessage():
            return _made(AuthorRole.ASSISTANT, _answer_items(message, notes, rename), message)
        case ToolMessage():
            name = message.name or called.get(message.tool_call_id) or "tool"
            result = FunctionResultContent(
                id=message.tool_call_id, name=rename(name), result=_result(message, notes)
            )
            return ChatMessageContent(role=AuthorRole.TOOL, items=[result])
        case DeveloperMessage():
            return _made(AuthorRole.DEVELOPER, _items(message, notes), message)
        case SystemMessage():
            return _made(AuthorRole.SYSTEM, _items(message, notes), message)
        case HumanMessage():
            return _made(AuthorRole.USER, _items(message, notes), message)
        case ChatMessage():
            try:
                role = AuthorRole(message.role)
            except ValueError:
                roles = ", ".join(f"`{one.value}`" for one in AuthorRole)
                raise InputError(
                    f"Semantic Kernel has no role `{message.role}`; it has {roles}"
                ) from None
            return _made(role, _items(message, notes), message)
    raise InputError(f"{type(message).__name__} is nothing that a model can be sent")


def _made(role: AuthorRole, items: list[Any], message: BaseMessage) -> ChatMessageContent:
    return ChatMessageContent(role=role, items=items or [TextContent(text="")], name=message.name)


def _items(message: BaseMessage, notes: Notes) -> list[Any]:
    """Texts and images, for the other kinds of content are refused before."""
    return list(_each(message.content_blocks, notes))


def _answer_items(message: AIMessage, notes: Notes, rename: Callable[[str], str]) -> list[Any]:
    items = list(_each(message.content_blocks, notes))
    for call in message.tool_calls:
        args = to_json(call["args"]).decode()
        items.append(FunctionCallContent(id=call["id"], name=rename(call["name"]), arguments=args))
    return items


def _each(blocks: Iterable[Any], notes: Notes) -> Iterable[Any]:
    for block in blocks:
        match block["type"]:
            case "text":
                if block["text"]:
                    yield TextContent(text=block["text"])
            case "refusal":
                yield TextContent(text=block["refusal"])
            case "text-plain" if block.get("text"):
                yield TextContent(text=block["text"])
            case "image":
                yield _image(block)
            case "tool_call":
                continue
            case kind if kind in _DROPPED:
                notes.record(kind, block, None, "left out", _NOT_CARRIED)
            case kind:
                notes.lose(kind, kind, f"[{kind}]", f"a `{kind}` block: {_NOT_CARRIED}")


def _image(block: dict[str, Any]) -> ImageContent:
    if data := block.get("base64"):
        mime = block.get("mime_type") or "image/png"
        return ImageContent(data_uri=f"data:{mime};base64,{data}")
    if url := block.get("url"):
        return ImageContent(uri=url)
    raise InputError(f"an image for Semantic Kernel has `base64` or `url`, not {sorted(block)}")


def _result(message: ToolMessage, notes: Notes) -> str:
    for block in message.content_blocks:
        if block["type"] != "text":
            kind = block["type"]
            reason = f"a `{kind}` block in the result of a tool: {_NOT_CARRIED}"
            notes.lose(kind, kind, f"[{kind}]", reason)
    return message.text
