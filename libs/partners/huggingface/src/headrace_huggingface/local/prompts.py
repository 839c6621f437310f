"""A conversation through the chat template of the loaded model, and checked for what it drops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace.errors import ConfigurationError, ContextOverflowError, InputError
from headrace_huggingface.local.templates import Chat, forms, missing

if TYPE_CHECKING:
    from headrace.chat_models import Notes
    from headrace_huggingface.local.weights import Loaded


@dataclass(frozen=True)
class Prompt:
    """Tensors for `generate`, their tokens, and whether they leave off inside reasoning."""

    inputs: Any
    tokens: int
    thinking: bool
    tools: bool


def render(loaded: Loaded, body: Mapping[str, Any], notes: Notes) -> Prompt:
    """The prompt of a request body; what had to be written otherwise is noted.

    Raises InputError where the template refuses the conversation or would drop a part of it,
    UnsupportedParameterError for tools that it has no place for.
    """
    _check_template(loaded, body)
    rendering = _Rendering(loaded, body, notes)
    chat, tools, text = rendering.fitting()
    inputs = rendering.tensors(chat, tools)
    tokens = int(inputs["input_ids"].shape[-1])
    if loaded.context is not None and tokens >= loaded.context:
        raise ContextOverflowError(
            f"the prompt has {tokens} tokens and `{loaded.name}` takes {loaded.context} with its "
            "answer; leave out a part of the conversation (`trim_messages`)"
        )
    return Prompt(inputs, tokens, text.rstrip().endswith("<think>"), bool(tools))


class _Rendering:
    """One request's way through a template."""

    def __init__(self, loaded: Loaded, body: Mapping[str, Any], notes: Notes) -> None:
        self.loaded, self.notes = loaded, notes
        self.chat: Chat = body["messages"]
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
            chat, tools=tools, tokenize=False, **self.options, **self.variables
        )
        return rendered

    def tensors(self, chat: Chat, tools: Any) -> Any:
        """Control tokens that stand in messages become plain text: nobody can forge a turn."""
        return self.loaded.renderer.apply_chat_template(
            chat,
            tools=tools,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            sanitize_control_tokens=True,
            **self.options,
            **self.variables,
        )


def _check_template(loaded: Loaded, body: Mapping[str, Any]) -> None:
    if body.get("chat_template") is None and not getattr(loaded.renderer, "chat_template", None):
        raise ConfigurationError(
            f"`{loaded.name}` has no chat template, so it is no chat model; take its instruct "
            "or chat version, or give `chat_template`"
        )
