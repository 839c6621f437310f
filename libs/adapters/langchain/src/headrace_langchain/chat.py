"""A LangChain chat model as a headrace model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from langchain_core.language_models import BaseChatModel as LangChainModel
from langchain_core.messages import BaseMessage as LangChainMessage
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from pydantic import Field, SecretStr, field_validator

from headrace.chat_models import BaseChatModel, Settings, Wire
from headrace.chat_models.identity import identity_of
from headrace.engine.drive import close
from headrace.errors import InputError
from headrace.messages import AIMessage, AIMessageChunk, BaseMessage
from headrace.profiles import FIELDS, ModelProfile
from headrace.transport import foreign_error, redact
from headrace_langchain.incoming import chunk_from_langchain, message_from_langchain
from headrace_langchain.outgoing import messages_to_langchain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.engine.run import Run

_NAMES = ("model", "model_name", "model_id", "deployment_name", "repo_id")


def from_langchain(model: Runnable[Any, Any], /, **parameters: Any) -> ChatLangChain:
    """A LangChain chat model, also under `bind`, retries or fallbacks, as a headrace model."""
    return ChatLangChain(langchain=model, **parameters)


class ChatLangChain(BaseChatModel):
    """A LangChain chat model as a headrace model.

    Parameters and stop words go to LangChain as arguments of the call; which of them an
    integration takes is its own matter. Tools go through its `bind_tools`, objects through a
    tool. It retries by itself, so `max_retries` is 0 here. Its errors become headrace's, with
    the cause kept.
    """

    provider: ClassVar[str] = "langchain"
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {"langchain"}
    langchain: Any = Field(description="The model of LangChain's.", repr=False, exclude=True)
    max_retries: int = Field(default=0, ge=0, description="Attempts beyond LangChain's own.")

    if not TYPE_CHECKING:

        def __init__(self, langchain: Any, **data: Any) -> None:
            data.setdefault("model", _name_of(langchain))
            super().__init__(langchain=langchain, **data)

    @field_validator("langchain")
    @classmethod
    def _check_model(cls, value: Any) -> Any:
        if not isinstance(value, Runnable):
            raise InputError(f"`langchain` is a chat model of LangChain's, not {value!r}")
        return value

    def _known_facts(self) -> ModelProfile:
        """What LangChain knows of the model; a schema reaches none of its models as such."""
        inmost = _inmost(self.langchain)
        given = getattr(inmost, "profile", None) or {}
        facts = {name: value for name, value in given.items() if name in FIELDS}
        facts.pop("structured_output", None)
        if isinstance(inmost, LangChainModel) and _cannot_bind(inmost):
            facts["tool_calling"] = False
        sources = dict.fromkeys(facts, "langchain")
        return ModelProfile(facts, sources, provider=self.provider, model=self.model)

    def _wire(self) -> Wire:
        return Wire(service="langchain", lacks=frozenset({"json_schema", "json_mode"}))

    def _address(self) -> str:
        return identity_of(self.langchain)

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        model, options = self._asked(settings)
        given = messages_to_langchain(messages)
        call = model.ainvoke if run.io.is_async else model.invoke
        try:
            answer = await run.io.settle(call(given, **options))
        except Exception as exc:
            raise self._error(exc) from exc
        return self._answered(message_from_langchain(_message(answer)))

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        model, options = self._asked(settings)
        given = messages_to_langchain(messages)
        call = model.astream if run.io.is_async else model.stream
        items = run.io.iterate(call(given, **options))
        begun = False
        try:
            async for item in items:
                chunk = chunk_from_langchain(_message(item))
                if not begun:
                    self._named(chunk.response_metadata)
                    begun = True
                yield chunk
        except Exception as exc:
            raise self._error(exc, begun) from exc
        finally:
            await close(items)

    def _asked(self, settings: Settings) -> tuple[Any, dict[str, Any]]:
        """The model with its tools, and the arguments of the call."""
        options = {
            name: value
            for name, value in settings.sent.items()
            if name not in ("model", "model_kwargs", "extra_body")
        }
        if settings.params.get("model", self.model) != self.model:
            options["model"] = settings.params["model"]
        if settings.stop:
            options["stop"] = list(settings.stop)
        model, choice, tools = self.langchain, settings.tool_choice, settings.tools
        if isinstance(choice, tuple):  # LangChain has no choice among several
            tools = tuple(tool for tool in tools if tool.get("name") in choice)
            choice = "any"
        if tools:
            said = {} if choice is None else {"tool_choice": choice}
            model = _with_tools(model, [_tool(tool) for tool in tools], said)
        return model, options

    def _answered(self, message: BaseMessage) -> AIMessage:
        if not isinstance(message, AIMessage):
            raise InputError(f"LangChain's model gave a {type(message).__name__}, not an AIMessage")
        self._named(message.response_metadata)
        message.response_metadata.setdefault(
            "finish_reason", "tool_calls" if message.tool_calls else "unknown"
        )
        return message

    def _named(self, metadata: dict[str, Any]) -> None:
        metadata.setdefault("model_provider", self.provider)

    def _error(self, exc: Exception, begun: bool = False) -> Exception:
        found = foreign_error(exc, self.model, begun=begun)
        if found is None:
            return exc
        redact(found, _secrets_of(_inmost(self.langchain)))
        return found


def _message(item: Any) -> LangChainMessage:
    if not isinstance(item, LangChainMessage):
        raise InputError(
            f"LangChain's model gave a {type(item).__name__}, not a message; give the chat model "
            "without parsers, and ask for objects by headrace's `with_structured_output`"
        )
    return item


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool in the form that every `bind_tools` of LangChain's reads."""
    if "parameters" not in tool:
        return tool  # the provider's own
    names = ("name", "description", "parameters", "strict")
    return {
        "type": "function",
        "function": {name: tool[name] for name in names if tool.get(name) is not None},
    }


def _with_tools(model: Any, tools: list[dict[str, Any]], said: dict[str, Any]) -> Any:
    """The model with tools bound, also where it is under `bind`, a config or retries."""
    if isinstance(model, RunnableBindingBase):
        return model.model_copy(update={"bound": _with_tools(model.bound, tools, said)})
    if hasattr(model, "bind_tools"):
        return model.bind_tools(tools, **said)
    raise InputError(
        f"{type(model).__name__} of LangChain's takes no tools; give the chat model itself, and "
        "what shall stand around it by headrace's own `with_retry`, `with_fallbacks` and so on"
    )


def _cannot_bind(model: LangChainModel) -> bool:
    return type(model).bind_tools is LangChainModel.bind_tools


def _secrets_of(model: Any) -> tuple[str, ...]:
    """The keys that a model of LangChain's holds; some services repeat them in errors."""
    held = vars(model).values() if hasattr(model, "__dict__") else ()
    return tuple(value.get_secret_value() for value in held if isinstance(value, SecretStr))


def _inmost(model: Any) -> Any:
    while not isinstance(model, LangChainModel):
        inner = getattr(model, "bound", None) or getattr(model, "runnable", None)
        if inner is None:
            return model
        model = inner
    return model


def _name_of(model: Any) -> str:
    inmost = _inmost(model)
    found = (getattr(inmost, name, None) for name in _NAMES)
    return next((name for name in found if isinstance(name, str) and name), type(inmost).__name__)
