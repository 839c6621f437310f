"""A conversation through the chat template of the loaded model, and checked for what it drops."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from headrace.errors import (
    ConfigurationError,
    ContextOverflowError,
    InputError,
    UnsupportedContentError,
)
from headrace_huggingface.local.templates import REASONING, Chat, forms, has_images, missing
from headrace_huggingface.local.weights import library

if TYPE_CHECKING:
    from headrace.chat_models import Notes
    from headrace_huggingface.local.weights import Loaded


_THINKING = {REASONING: "thinking"}
_OF_TEXT = frozenset({"input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids"})


@dataclass(frozen=True)
class Prompt:
    """Tensors for `generate`, their tokens, and whether they leave off inside reasoning."""

    inputs: Any
    tokens: int
    thinking: bool


def render(loaded: Loaded, body: Mapping[str, Any], notes: Notes) -> Prompt:
    """The prompt of a request body; what had to be written otherwise is noted.

    Raises InputError where the template refuses the conversation or would drop a part of it,
    UnsupportedContentError for an image, UnsupportedParameterError for tools without a place.
    """
    _check_template(loaded, body)
    rendering = _Rendering(loaded, body, notes)
    chat, tools, text = rendering.fitting()
    inputs = rendering.tensors(chat, tools)
    if has_images(chat) and not inputs.keys() - _OF_TEXT:
        raise UnsupportedContentError(
            f"`{loaded.name}` would not see an image of this conversation: its processor, or the "
            "chat template, makes nothing of it; leave it out, or describe it in text"
        )
    tokens = int(inputs["input_ids"].shape[-1])
    if loaded.context is not None and tokens >= loaded.context:
        raise ContextOverflowError(
            f"the prompt has {tokens} tokens and `{loaded.name}` takes {loaded.context} with its "
            "answer; leave out a part of the conversation (`trim_messages`)"
        )
    return Prompt(inputs, tokens, text.rstrip().endswith("<think>"))


class _Rendering:
    """One request's way through a template."""

    def __init__(self, loaded: Loaded, body: Mapping[str, Any], notes: Notes) -> None:
        self.loaded, self.notes = loaded, notes
        self.chat: Chat = opened(body["messages"])
        self.tools: list[dict[str, Any]] | None = body.get("tools")
        # A last message of the model's own is what its answer goes on from.
        last = self.chat[-1]
        goes_on = last["role"] == "assistant" and "tool_calls" not in last
        self.options: dict[str, Any] = {
            "chat_template": body.get("chat_template"),
            "add_generation_prompt": not goes_on,
            "continue_final_message": goes_on,
        }
        self.variables = self._variables(body.get("chat_template_kwargs") or {})

    def _variables(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Variables of the template; what it does not read is noted and left out."""
        source = self.loaded.template(self.options["chat_template"])
        kept: dict[str, Any] = {}
        for name, value in given.items():
            reason = f"the chat template of `{self.loaded.name}` does not read `{name}`"
            if name in source or self.notes.change(name, value, None, "left out", reason):
                kept[name] = value
        return kept

    def fitting(self) -> tuple[Chat, list[dict[str, Any]] | None, str]:
        """The form of the conversation that the template shows whole, and the text of it."""
        tools, why = self.tools, ""
        for chat, done in forms(self.chat):
            try:
                text = self.text(chat, tools)
            except Exception as error:  # noqa: BLE001 - templates raise what they like
                why = why or f"says: {error}"
                continue
            lost = missing(chat, tools or (), text)
            if lost == "tools":
                tools = self._without_tools()
                text = self.text(chat, tools)
                lost = missing(chat, (), text)
            if lost is None:
                if done is not None:
                    reason = f"the chat template of `{self.loaded.name}` {why}"
                    self.notes.record("messages", "as given", done, "translated", reason)
                return chat, tools, text
            why = why or f"leaves out {lost}"
        raise InputError(
            f"the chat template of `{self.loaded.name}` {why}; change the conversation, or give "
            "another `chat_template`"
        )

    def _without_tools(self) -> list[dict[str, Any]] | None:
        """None, or under the policy "warn" the tools all the same."""
        names = [tool["function"]["name"] for tool in self.tools or ()]
        reason = f"the chat template of `{self.loaded.name}` does not show tools"
        advice = 'take a model that knows tools (objects come by `method="prompted"` too)'
        return None if self.notes.refuse("tools", names, reason, advice) else self.tools

    def text(self, chat: Chat, tools: Any) -> str:
        rendered: str = self.loaded.renderer.apply_chat_template(
            self._spelled(chat), tools=tools, tokenize=False, **self.options, **self.variables
        )
        return rendered

    def _spelled(self, chat: Chat) -> Chat:
        """With reasoning under the name that the template reads."""
        source = self.loaded.template(self.options["chat_template"])
        if REASONING in source or "thinking" not in source:
            return chat
        return [{_THINKING.get(k, k): v for k, v in message.items()} for message in chat]

    def tensors(self, chat: Chat, tools: Any) -> Any:
        """Control tokens that stand in messages become plain text: nobody can forge a turn."""
        return self.loaded.renderer.apply_chat_template(
            self._spelled(chat),
            tools=tools,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            sanitize_control_tokens=True,
            **self.options,
            **self.variables,
        )


def opened(chat: Chat) -> Chat:
    """With images in place of their bytes: as a text, transformers would take a path or a URL."""
    return [{**message, "content": _opened(message["content"])} for message in chat]


def _opened(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return [
        {"type": "image", "image": _image(part["base64"])} if "base64" in part else part
        for part in content
    ]


def _image(data: str) -> Any:
    pillow = library("PIL.Image")
    try:
        return pillow.open(BytesIO(b64decode(data, validate=True))).convert("RGB")
    except (ValueError, OSError) as error:
        raise InputError(
            f"an image of {len(data) * 3 // 4} bytes cannot be read: it is none of a kind that "
            "Pillow knows, or not base64"
        ) from error


def _check_template(loaded: Loaded, body: Mapping[str, Any]) -> None:
    if body.get("chat_template") is None and not getattr(loaded.renderer, "chat_template", None):
        raise ConfigurationError(
            f"`{loaded.name}` has no chat template, so it is no chat model; take its instruct "
            "or chat version, or give `chat_template`"
        )
