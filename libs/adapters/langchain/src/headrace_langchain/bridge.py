"""A headrace model as a LangChain chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage as LangChainAIMessage
from langchain_core.messages import BaseMessage as LangChainMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda, RunnableMap
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from headrace import init_chat_model
from headrace.chat_models import Model
from headrace.engine.run import RunnableConfig
from headrace.errors import InputError
from headrace.messages import AIMessage
from headrace.tools import Tool, convert_to_tool
from headrace_langchain.incoming import messages_from_langchain
from headrace_langchain.outgoing import message_to_langchain
from headrace_langchain.streaming import Writer

_SCHEMA = "headrace_schema"  # the option under which an object's schema reaches the model


def to_langchain(model: str | Model[Any], **parameters: Any) -> ChatHeadrace:
    """A headrace model, or one by name ("openai:gpt-5"), as a LangChain chat model."""
    return ChatHeadrace(model=model, **parameters)


class ChatHeadrace(BaseChatModel):
    """A headrace model as a LangChain chat model.

    `model`: the model, or its name for `init_chat_model`. Parameters that LangChain does not
    know (`temperature`, `api_key` …) are the model's. All that is bound to the model stays, its
    retries, caches and listeners too; LangChain's callbacks fire as for any of its models.
    """

    model: Any = Field(description="A headrace model, or its name.")
    streaming: bool = Field(default=False, description="Whether `invoke` streams inside.")

    if not TYPE_CHECKING:

        def __init__(self, model: Any, **data: Any) -> None:
            # Not by a validator: its errors would show what was given, keys among it.
            known = type(self).model_fields
            given = {name: value for name, value in data.items() if name in known}
            more = {name: value for name, value in data.items() if name not in known}
            if isinstance(model, str):
                model = init_chat_model(model, **more)
            elif not isinstance(model, Model):
                raise InputError(f"`model` is a headrace model or its name, not {model!r}")
            elif more:
                model = model.bind(**more)
            super().__init__(model=model, **given)

    # What LangChain asks of a chat model.

    def _generate(
        self,
        messages: list[LangChainMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        model, schema = self._asked(stop, kwargs)
        answer = model.invoke(messages_from_langchain(messages), _config(run_manager))
        return _result(answer, schema)

    async def _agenerate(
        self,
        messages: list[LangChainMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        model, schema = self._asked(stop, kwargs)
        answer = await model.ainvoke(messages_from_langchain(messages), _config(run_manager))
        return _result(answer, schema)

    def _stream(
        self,
        messages: list[LangChainMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        writer = self._writer(kwargs)
        model, _ = self._asked(stop, kwargs)
        with model.stream(messages_from_langchain(messages), _config(run_manager)) as chunks:
            for chunk in chunks:
                if (found := writer.write(chunk)) is not None:
                    yield ChatGenerationChunk(message=found)
        yield ChatGenerationChunk(message=writer.end())

    async def _astream(
        self,
        messages: list[LangChainMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        writer = self._writer(kwargs)
        model, _ = self._asked(stop, kwargs)
        asked = messages_from_langchain(messages)
        async with model.astream(asked, _config(run_manager)) as chunks:
            async for chunk in chunks:
                if (found := writer.write(chunk)) is not None:
                    yield ChatGenerationChunk(message=found)
        yield ChatGenerationChunk(message=writer.end())

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, LangChainAIMessage]:
        """This model with tools: LangChain's, headrace's, or whatever describes one."""
        given = {"tool_choice": tool_choice} if tool_choice is not None else {}
        return self.bind(tools=[_tool(tool) for tool in tools], **given, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Objects of `schema`: by LangChain's tool call and parser, or by headrace's `method`.

        `method`: one of headrace's ("auto", "json_schema", "json_mode", "prompted"); without it,
        or with "function_calling", LangChain's own way.
        """
        if method in (None, "function_calling"):
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        asked = {"schema": schema, "method": method, **kwargs}
        answer = self.bind(**{_SCHEMA: asked})
        parsed = RunnableLambda(lambda message: message.additional_kwargs["parsed"])
        if not include_raw:
            return answer | parsed
        whole = self.bind(**{_SCHEMA: {**asked, "include_raw": True}})
        return RunnableMap(raw=whole) | RunnableLambda(_apart)

    # What LangChain tells others about it.

    @property
    def model_name(self) -> str:
        """The provider's name of the model."""
        return "configurable" if self.model.spec is None else str(self.model.spec.model)

    @property
    def _llm_type(self) -> str:
        return "headrace-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model": repr(self.model)}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        spec = self.model.spec
        if spec is not None:
            params["ls_provider"] = spec.provider
            if spec.temperature is not None:
                params.setdefault("ls_temperature", spec.temperature)
            if spec.max_tokens is not None:
                params.setdefault("ls_max_tokens", spec.max_tokens)
        return params

    def _resolve_model_profile(self) -> ModelProfile | None:
        spec = self.model.spec
        if spec is None:
            return None
        known = {k: v for k, v in spec.profile.items() if k in ModelProfile.__annotations__}
        return cast("ModelProfile", known)

    def get_num_tokens(self, text: str) -> int:
        """Tokens of a text, by headrace's estimate."""
        return cast("int", self.model.get_num_tokens(text))

    def get_num_tokens_from_messages(
        self, messages: list[LangChainMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Tokens of messages with tools and all that is bound, by headrace's estimate."""
        asked = messages_from_langchain(messages)
        found = self.model.get_num_tokens(asked, tools=[_tool(tool) for tool in tools or ()])
        return cast("int", found)

    # How a call of LangChain's becomes one of headrace's.

    def _asked(self, stop: list[str] | None, kwargs: dict[str, Any]) -> tuple[Model[Any], Any]:
        """The model with what a call asks of it, and the schema of the object, if any."""
        options = {key: value for key, value in kwargs.items() if value is not None}
        options.pop("stream", None)  # LangChain's own switch
        schema = options.pop(_SCHEMA, None)
        if stop is not None:
            options["stop"] = stop
        model = self.model.bind(**options) if options else self.model
        if schema is not None:
            wanted = {key: value for key, value in schema.items() if key != "include_raw"}
            model = model.with_structured_output(**wanted, include_raw=True)
        return model, schema

    def _writer(self, kwargs: Mapping[str, Any]) -> Writer:
        """Blocks from the first chunk on, where an answer is sure to have others than text."""
        served = any("function" not in tool for tool in kwargs.get("tools") or ())
        return Writer(self.output_version == "v1" or served or "reasoning_effort" in kwargs)

    def _should_stream(self, **kwargs: Any) -> bool:
        return _SCHEMA not in kwargs and super()._should_stream(**kwargs)


def _config(run_manager: Any) -> RunnableConfig:
    """LangChain's tags and metadata for headrace's listeners."""
    if run_manager is None:
        return {}
    return {"tags": list(run_manager.tags), "metadata": dict(run_manager.metadata)}


def _tool(tool: Any) -> dict[str, Any]:
    if isinstance(tool, dict):
        return tool
    if isinstance(tool, Tool):
        return {"type": "function", "function": convert_to_tool(tool)}
    return convert_to_openai_tool(tool)


def _result(answer: Any, schema: Mapping[str, Any] | None) -> ChatResult:
    error = parsed = None
    if schema is not None:
        answer, parsed, error = answer["raw"], answer["parsed"], answer["parsing_error"]
        if error is not None and not schema.get("include_raw"):
            raise error
    if not isinstance(answer, AIMessage):
        raise InputError(
            f"the model answers with {type(answer).__name__}, not with a message; give the model "
            "without `with_structured_output`, and ask for objects by LangChain's"
        )
    message = message_to_langchain(answer)
    if schema is not None:
        message.additional_kwargs["parsed"] = parsed
        if error is not None:
            message.additional_kwargs["parsing_error"] = error
    return ChatResult(generations=[ChatGeneration(message=cast("Any", message))])


def _apart(found: dict[str, Any]) -> dict[str, Any]:
    said = found["raw"].additional_kwargs
    return {
        "raw": found["raw"],
        "parsed": said.pop("parsed", None),
        "parsing_error": said.pop("parsing_error", None),
    }
