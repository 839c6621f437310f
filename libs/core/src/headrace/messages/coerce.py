"""Everything that stands for messages, turned into messages: the one way in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeAlias

from headrace.errors import InputError, suggestion
from headrace.messages import schema
from headrace.messages.calls import read_tool_call, read_wire_call
from headrace.messages.chunks import AIMessageChunk
from headrace.messages.kinds import (
    AIMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from headrace.messages.message import BaseMessage

AnyMessage: TypeAlias = Annotated[
    SystemMessage
    | DeveloperMessage
    | HumanMessage
    | AIMessage
    | ToolMessage
    | ChatMessage
    | RemoveMessage
    | AIMessageChunk,
    schema.AnyOf(),
]
MessageLike: TypeAlias = BaseMessage | str | tuple[str, Any] | list[Any] | Mapping[str, Any] | Any

KINDS: dict[str, Any] = {
    kind.type: kind
    for kind in (
        SystemMessage, DeveloperMessage, HumanMessage, AIMessage, ToolMessage, ChatMessage,
        RemoveMessage, AIMessageChunk,
    )
}  # fmt: skip

# The message classes that a LangChain envelope or dump may name, as the data they mean.
_ENVELOPES = {
    "SystemMessage": "system",
    "HumanMessage": "human",
    "AIMessage": "ai",
    "ToolMessage": "tool",
    "FunctionMessage": "function",
    "ChatMessage": "chat",
    "RemoveMessage": "remove",
    "AIMessageChunk": "AIMessageChunk",
    "SystemMessageChunk": "system",
    "HumanMessageChunk": "human",
    "ToolMessageChunk": "tool",
    "ChatMessageChunk": "chat",
    "FunctionMessageChunk": "function",
}

_SPECIAL = frozenset({"type", "role", "content", "tool_calls", "function_call", "example"})
_ROLE_HINT = "`system`, `developer`, `user`, `assistant` or `tool`"


def convert_to_messages(messages: Any) -> list[BaseMessage]:
    """The messages that `messages` stands for, in a new list; the input is not changed.

    Takes one or an iterable of: a message, a str (said by the user), a (role, content) pair,
    a dict with `role` or `type`, an envelope of LangChain, an object with `to_messages()`.
    Raises InputError for anything else, naming its position.
    """
    single = isinstance(messages, BaseMessage | str | Mapping) or (
        isinstance(messages, tuple) and _is_pair(messages)
    )
    if single or hasattr(messages, "to_messages") or hasattr(messages, "model_dump"):
        return _read_like(messages)
    if not isinstance(messages, Iterable) or isinstance(messages, bytes):
        raise InputError(f"messages must be a str, a message or a list of them, not {messages!r}")
    result: list[BaseMessage] = []
    for position, item in enumerate(messages):
        if isinstance(item, BaseMessage):
            result.append(item)
            continue
        try:
            result.extend(_read_like(item))
        except InputError as exc:
            raise InputError(f"message {position}: {exc}") from exc
    return result


def convert_to_message(message: Any) -> BaseMessage:
    """The one message that `message` stands for; InputError if it is not exactly one."""
    found = convert_to_messages(message)
    if len(found) != 1:
        raise InputError(f"expected one message, found {len(found)}")
    return found[0]


def message_from_dict(data: Mapping[str, Any]) -> BaseMessage:
    """The message that a dict describes: {"type", …}, {"role", …} or {"type", "data"}.

    The class comes from a fixed table, never from the data. Keys that no message has go to
    `additional_kwargs`. Raises InputError naming a type or role that is not known.
    """
    envelope = _envelope(data)
    if envelope is not None:
        data = envelope
    elif isinstance(data.get("data"), Mapping) and "content" not in data:
        data = {**data["data"], "type": data.get("type")}
    kind = _kind_of(data)
    fields = {
        key: value for key, value in data.items() if key not in _SPECIAL and value is not None
    }
    return _BUILDERS.get(kind, _build_plain)(kind, data, fields)


def _read_like(item: Any) -> list[BaseMessage]:
    if isinstance(item, BaseMessage):
        return [item]
    if isinstance(item, str):
        return [HumanMessage(item)]
    if isinstance(item, Mapping):
        return _from_mapping(item)
    if _is_pair(item):
        role, content = item
        return _from_mapping({"role": role, "content": content})
    to_messages = getattr(item, "to_messages", None)
    if callable(to_messages):
        return convert_to_messages(to_messages())
    dump = getattr(item, "model_dump", None)
    if callable(dump) and (hasattr(item, "role") or hasattr(item, "type")):
        return _from_mapping(dump())
    raise InputError(
        f"cannot make a message of {item!r}; give a message, a str, a (role, content) pair "
        "or a dict with `role` and `content`"
    )


def _is_pair(item: Any) -> bool:
    """Whether a tuple or list is (role, content) rather than two messages."""
    if not isinstance(item, tuple | list) or len(item) != 2 or not isinstance(item[0], str):
        return False
    if isinstance(item, tuple):
        return item[1] is None or isinstance(item[1], str | list)
    return item[0].lower() in schema.ROLES and isinstance(item[1], str | list)


def _from_mapping(data: Mapping[str, Any]) -> list[BaseMessage]:
    results = _split_results(data)
    return [message_from_dict(data)] if results is None else results


def _split_results(data: Mapping[str, Any]) -> list[BaseMessage] | None:
    """A user's dict with `tool_result` blocks as ToolMessages, then what else it says."""
    content = data.get("content")
    if data.get("role") != "user" or not isinstance(content, list):
        return None
    found: list[BaseMessage] = []
    rest: list[Any] = []
    for part in content:
        if not isinstance(part, Mapping) or part.get("type") != "tool_result":
            rest.append(part)
            continue
        answer = ToolMessage(part.get("content"), part.get("tool_use_id"))
        answer.status = "error" if part.get("is_error") else "success"
        if "cache_control" in part:
            answer.additional_kwargs["cache_control"] = part["cache_control"]
        found.append(answer)
    if not found:
        return None
    return [*found, HumanMessage(rest)] if rest else found


def _envelope(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields in {"lc": 1, "type": "constructor", "id": [...], "kwargs": {...}}."""
    if "lc" not in data or data.get("type") != "constructor":
        return None
    path = data.get("id")
    name = path[-1] if isinstance(path, list) and path else None
    kwargs = data.get("kwargs")
    if not isinstance(name, str) or name not in _ENVELOPES or not isinstance(kwargs, Mapping):
        raise InputError(f"the envelope of {name!r} is not that of a message")
    return {**kwargs, "type": _ENVELOPES[name]}


def _kind_of(data: Mapping[str, Any]) -> str:
    kind, role = data.get("type"), data.get("role")
    if isinstance(kind, str) and kind in KINDS and not (kind == "chat" and role is None):
        return str(kind)
    if kind == "function" or role == "function":
        return "function"
    if role is not None:
        found = schema.ROLES.get(role.lower()) if isinstance(role, str) else None
        if found is None:
            hint = suggestion(str(role), schema.ROLES)
            raise InputError(f"unknown role {role!r}{hint}; use {_ROLE_HINT}")
        return found
    if isinstance(kind, str):
        if kind in _ENVELOPES:
            return _ENVELOPES[kind]
        if kind.lower() in schema.ROLES:
            return schema.ROLES[kind.lower()]
        hint = suggestion(kind, [*KINDS, *schema.ROLES])
        raise InputError(f"unknown message type {kind!r}{hint}; known: {', '.join(KINDS)}")
    raise InputError(
        f"a message dict needs `role` ({_ROLE_HINT}) or `type`, and `content`; "
        f"found the keys {sorted(map(str, data))}"
    )


def _build_plain(kind: str, data: Mapping[str, Any], fields: dict[str, Any]) -> BaseMessage:
    cls = KINDS[kind]
    if kind == "system" and _is_developer(fields):
        cls = DeveloperMessage
    if kind == "chat":
        fields["role"] = data["role"]
    if kind != "remove" and "content" not in data and "content_blocks" not in fields:
        raise InputError(f"a message dict of type `{kind}` needs `content`")
    return _make(cls, data.get("content"), fields)


def _is_developer(fields: dict[str, Any]) -> bool:
    extra = fields.get("additional_kwargs")
    if not isinstance(extra, Mapping) or extra.get("__openai_role__") != "developer":
        return False
    fields["additional_kwargs"] = {k: v for k, v in extra.items() if k != "__openai_role__"}
    return True


def _build_ai(kind: str, data: Mapping[str, Any], fields: dict[str, Any]) -> BaseMessage:
    calls, invalid = _read_calls(data.get("tool_calls"))
    legacy = data.get("function_call")
    if isinstance(legacy, Mapping):
        # A call without an id: its name is what pairs it with the `function` message.
        calls_more, invalid_more = _read_calls([{"id": legacy.get("name"), "function": legacy}])
        calls, invalid = [*(calls or ()), *(calls_more or ())], [*invalid, *invalid_more]
    if calls is not None:
        fields["tool_calls"] = calls
    if invalid:
        known = fields.get("invalid_tool_calls") or []
        if isinstance(known, list | tuple):  # anything else is refused below
            fields["invalid_tool_calls"] = [*known, *invalid]
    return _make(AIMessage, data.get("content"), fields)


def _read_calls(given: Any) -> tuple[list[Any] | None, list[Any]]:
    if given is None:
        return None, []
    if not isinstance(given, list | tuple):
        raise InputError(f"`tool_calls` must be a list, not {given!r}")
    calls: list[Any] = []
    invalid: list[Any] = []
    for call in given:
        if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping):
            call = read_wire_call(call)
        is_bad = isinstance(call, Mapping) and call.get("type") == "invalid_tool_call"
        (invalid if is_bad else calls).append(call)
    return calls, invalid


def _build_chunk(kind: str, data: Mapping[str, Any], fields: dict[str, Any]) -> BaseMessage:
    calls, _ = _read_calls(data.get("tool_calls"))
    if calls and "tool_call_chunks" not in fields:
        fields["tool_call_chunks"] = [dict(read_tool_call(call)) for call in calls]
    fields.pop("invalid_tool_calls", None)  # derived from the pieces
    return _make(AIMessageChunk, data.get("content"), fields)


def _build_tool(kind: str, data: Mapping[str, Any], fields: dict[str, Any]) -> BaseMessage:
    if kind == "function":
        fields.setdefault("tool_call_id", fields.get("name"))
    if fields.get("tool_call_id") is None:
        raise InputError("a tool message needs `tool_call_id`, the id of the call it answers")
    return _make(ToolMessage, data.get("content"), fields)


_BUILDERS: dict[str, Callable[[str, Mapping[str, Any], dict[str, Any]], BaseMessage]] = {
    "ai": _build_ai,
    "AIMessageChunk": _build_chunk,
    "tool": _build_tool,
    "function": _build_tool,
}


_FIELD_TYPES: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(
        ("additional_kwargs", "response_metadata", "usage_metadata"), (Mapping, "a dict")
    ),
    **dict.fromkeys(
        ("tool_calls", "invalid_tool_calls", "tool_call_chunks"), (list | tuple, "a list")
    ),
    "name": (str, "a str"),
}


def _make(cls: Any, content: Any, fields: dict[str, Any]) -> BaseMessage:
    known = {key: value for key, value in fields.items() if key in cls._fields}
    extra = {key: value for key, value in fields.items() if key not in cls._fields}
    blocks = extra.pop("content_blocks", None)
    if blocks is not None and not content:
        known["content_blocks"] = blocks
    for key, (kind, words) in _FIELD_TYPES.items():
        if key in known and not isinstance(known[key], kind):
            raise InputError(f"`{key}` of {cls.__name__} must be {words}, not {known[key]!r}")
    if extra:
        known["additional_kwargs"] = {**extra, **known.get("additional_kwargs", {})}
    if cls is not RemoveMessage:
        known["content"] = content
    elif "id" not in known:
        raise InputError("a RemoveMessage needs the `id` of the message to remove")
    message: BaseMessage = cls(**known)
    return message


schema.use_reader(message_from_dict, KINDS)
