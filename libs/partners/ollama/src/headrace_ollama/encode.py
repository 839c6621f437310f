"""Messages and settings as a request to `/api/chat`. Pure: no SDK, no I/O.

Source: https://docs.ollama.com/api/chat (read 2026-11)
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from headrace.errors import UnsupportedContentError
from headrace.messages import (
    AIMessage,
    BaseMessage,
    ToolMessage,
)
from headrace.transport import leave_name_out, names_of, role_of

if TYPE_CHECKING:
    from headrace.chat_models import Notes, Settings
    from headrace.tools import WireNames

# Parameter -> its name among the options of the runtime. Nothing else goes there.
# https://docs.ollama.com/modelfile#valid-parameters-and-values (read 2026-11)
OPTIONS: Mapping[str, str] = {
    "temperature": "temperature", "max_tokens": "num_predict", "seed": "seed", "top_p": "top_p",
    "top_k": "top_k", "min_p": "min_p", "typical_p": "typical_p", "num_ctx": "num_ctx",
    "num_keep": "num_keep", "num_batch": "num_batch", "num_gpu": "num_gpu",
    "num_thread": "num_thread", "main_gpu": "main_gpu", "use_mmap": "use_mmap",
    "repeat_last_n": "repeat_last_n", "repeat_penalty": "repeat_penalty",
    "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty",
    "mirostat": "mirostat", "mirostat_tau": "mirostat_tau", "mirostat_eta": "mirostat_eta",
}  # fmt: skip
# Parameters of the request itself.
SAME = ("keep_alive", "logprobs", "top_logprobs", "truncate", "shift")

_CARRIED = frozenset({"text", "refusal", "tool_call", "invalid_tool_call"})
_SERVICE = "Ollama"


def encode(
    messages: Sequence[BaseMessage], settings: Settings, *, stream: bool = False
) -> dict[str, Any]:
    """The body of a request; the messages are not changed.

    Raises UnsupportedContentError for blocks with no place.
    """
    params, names = settings.params, names_of(settings)
    request: dict[str, Any] = {"model": params["model"]} if params.get("model") else {}
    request["messages"] = _History(names, settings.notes).write(messages)
    request["stream"] = stream
    if tools := [_tool(tool, names) for tool in _offered(settings)]:
        request["tools"] = tools
    if settings.response_format is not None:
        request["format"] = settings.response_format.schema or "json"
    if params.get("reasoning_effort") is not None:
        request.update(spell_think(params["reasoning_effort"]))
    for name in SAME:
        if params.get(name) is not None:
            request[name] = params[name]
    options = {there: params[name] for name, there in OPTIONS.items() if name in params}
    if settings.stop:
        options["stop"] = list(settings.stop)
    if options:
        request["options"] = options
    request.update(params.get("model_kwargs") or {})
    request.update(params.get("extra_body") or {})
    return request


def spell_think(effort: Any) -> dict[str, Any]:
    """The key that says how hard to think: a switch, or a level for models that have levels."""
    if effort is False or effort in ("none", 0):
        return {"think": False}
    return {"think": True if effort is True or not isinstance(effort, str) else effort}


def _offered(settings: Settings) -> Sequence[Mapping[str, Any]]:
    """The tools that the model shall see: there is no choice on the wire but to leave some out."""
    if settings.tool_choice != "none":
        return settings.tools
    reason = "the API has no `tool_choice`; no tool is shown"
    settings.notes.record("tool_choice", "none", None, "translated", reason)
    return ()


def _tool(tool: Mapping[str, Any], names: WireNames) -> dict[str, Any]:
    if "name" not in tool:
        return dict(tool)  # in Ollama's own form
    function = {"name": names.out(str(tool["name"])), "description": tool.get("description") or ""}
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    return {"type": "function", "function": {**function, "parameters": parameters}}


class _History:
    """Writes one conversation; the messages themselves are only read."""

    def __init__(self, names: WireNames, notes: Notes) -> None:
        self.names, self.notes = names, notes
        self._called: dict[str, str] = {}  # id of a call -> name of its tool
        self._answered: set[str] = set()

    def write(self, messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
        self._answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        return [self._message(message) for message in messages]

    def _message(self, message: BaseMessage) -> dict[str, Any]:
        if isinstance(message, ToolMessage):
            return self._result(message)
        leave_name_out(message, _SERVICE, self.notes)
        if isinstance(message, AIMessage):
            return self._assistant(message)
        return {"role": role_of(message, _SERVICE, self.notes), **self._content(message)}

    def _content(self, message: BaseMessage) -> dict[str, Any]:
        if isinstance(message.content, str):
            return {"content": message.content}
        texts: list[str] = []
        images: list[str] = []
        for block in cast("Sequence[Mapping[str, Any]]", message.content_blocks):
            match block["type"]:
                case "text":
                    texts.append(block["text"])
                case "image":
                    images.append(_image(block))
                case "text-plain":
                    texts.append(_plain(block))
                case kind:
                    raise UnsupportedContentError(f"Ollama cannot carry a `{kind}` block")
        content = {"content": "\n".join(texts)}
        return {**content, "images": images} if images else content

    def _assistant(self, message: AIMessage) -> dict[str, Any]:
        own = message.response_metadata.get("model_provider") in (None, "ollama")
        blocks: Any = message.content_blocks
        told = [b["text"] if b["type"] == "text" else b["refusal"] for b in blocks
                if b["type"] in ("text", "refusal")]  # fmt: skip
        wire: dict[str, Any] = {"role": "assistant", "content": "".join(told)}
        thought = "".join(b.get("reasoning", "") for b in blocks if b["type"] == "reasoning")
        if thought and own:
            wire["thinking"] = thought
        left = {str(b["type"]) for b in blocks} - _CARRIED - ({"reasoning"} if own else set())
        for kind in sorted(left):
            reason = "Ollama has no place for it in an answer" if own else "another service's own"
            self.notes.record(kind, kind, None, "left out", reason)
        calls = [self._call(call) for call in self._made(message)]
        return {**wire, "tool_calls": calls} if calls else wire

    def _made(self, message: AIMessage) -> list[Mapping[str, Any]]:
        """All calls, and of the invalid ones those that a tool result answers."""
        invalid = [call for call in message.invalid_tool_calls if call["id"] in self._answered]
        return [*message.tool_calls, *invalid]

    def _call(self, call: Mapping[str, Any]) -> dict[str, Any]:
        name, args = self.names.out(call["name"] or "unknown"), call["args"]
        arguments = args if isinstance(args, Mapping) else {"arguments": args or ""}
        made: dict[str, Any] = {"function": {"name": name, "arguments": arguments}}
        if call["id"]:
            made["id"] = call["id"]
            self._called[call["id"]] = name
        return made

    def _result(self, message: ToolMessage) -> dict[str, Any]:
        id = message.tool_call_id
        wire = {"role": "tool", **self._content(message)}
        name = self._called.get(id) or (message.name and self.names.out(message.name))
        if name:
            wire["tool_name"] = name
        return {**wire, "tool_call_id": id} if id else wire


def _image(block: Mapping[str, Any]) -> str:
    if block.get("base64"):
        return str(block["base64"])
    raise UnsupportedContentError(
        "Ollama cannot carry an image by URL or id; pass its bytes with `image(...)`"
    )


def _plain(block: Mapping[str, Any]) -> str:
    text = block.get("text")
    if text is None and block.get("base64"):
        text = b64decode(block["base64"]).decode("utf-8", "replace")
    if text is None:
        raise UnsupportedContentError("Ollama cannot carry a document by URL; put its text in")
    return "\n".join([*(block[key] for key in ("title", "context") if block.get(key)), text])
