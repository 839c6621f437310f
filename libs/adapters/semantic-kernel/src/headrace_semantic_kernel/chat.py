"""A chat client of Semantic Kernel as a headrace model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import Field, SecretStr, field_validator
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.chat_completion_client_base import ChatCompletionClientBase
from semantic_kernel.connectors.ai.prompt_execution_settings import PromptExecutionSettings
from semantic_kernel.exceptions import (
    KernelException,
    ServiceInitializationError,
    ServiceInvalidAuthError,
    ServiceInvalidExecutionSettingsError,
    ServiceInvalidResponseError,
)

from headrace.chat_models import BaseChatModel, Settings, Wire
from headrace.chat_models.identity import identity_of
from headrace.errors import (
    ConfigurationError,
    HeadraceError,
    InputError,
    ModelAPIError,
    ModelAuthenticationError,
    WireError,
)
from headrace.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from headrace.profiles import ModelProfile
from headrace.transport import foreign_error, names_of, read_chunk_names, redact
from headrace_semantic_kernel.answers import decode
from headrace_semantic_kernel.asking import encode_settings, field_for
from headrace_semantic_kernel.history import encode_history

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from headrace.engine.run import Run

_END: Any = object()


def from_semantic_kernel(
    client: ChatCompletionClientBase,
    settings: PromptExecutionSettings | None = None,
    **parameters: Any,
) -> ChatSemanticKernel:
    """A chat client of Semantic Kernel as a headrace model; `settings` are its own defaults."""
    return ChatSemanticKernel(client=client, settings=settings, **parameters)


class ChatSemanticKernel(BaseChatModel):
    """A chat client of Semantic Kernel as a headrace model.

    Parameters go into its prompt execution settings; those without a field there are left out
    with a record, other names by `model_kwargs`. Kernel functions are never invoked: calls come
    back as tool calls. The clients are async; in a sync run they work on one loop in a thread.
    """

    provider: ClassVar[str] = "semantic_kernel"
    plumbing: ClassVar[frozenset[str]] = BaseChatModel.plumbing | {"client", "settings_base"}
    client: Any = Field(description="The client of Semantic Kernel's.", repr=False, exclude=True)
    settings_base: Any = Field(
        default=None,
        alias="settings",
        description="Prompt execution settings under those of each request.",
        repr=False,
        exclude=True,
    )
    max_retries: int = Field(default=0, ge=0, description="Attempts beyond the client's own.")

    if not TYPE_CHECKING:

        def __init__(self, client: Any, **data: Any) -> None:
            data.setdefault("model", getattr(client, "ai_model_id", None) or "unknown")
            super().__init__(client=client, **data)

    @field_validator("client")
    @classmethod
    def _check_client(cls, value: Any) -> Any:
        if not isinstance(value, ChatCompletionClientBase):
            raise InputError(f"`client` is a chat completion client, not {value!r}")
        return value

    @field_validator("settings_base")
    @classmethod
    def _check_settings(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, PromptExecutionSettings):
            raise InputError(f"`settings` are PromptExecutionSettings, not {value!r}")
        return value

    def _known_facts(self) -> ModelProfile:
        facts = {"image_tool_message": False, "pdf_tool_message": False}
        if not self.client.SUPPORTS_FUNCTION_CALLING:
            facts["tool_calling"] = False
        sources = dict.fromkeys(facts, "semantic_kernel")
        return ModelProfile(facts, sources, provider=self.provider, model=self.model)

    def _wire(self) -> Wire:
        kind = self.client.get_prompt_execution_settings_class()
        fields = {name for name in type(self).model_fields if name not in self.plumbing}
        fields = (fields | {"stop"}) - {"model", "model_kwargs", "extra_body"}
        lacks = {name for name in fields if field_for(name, kind) is None}
        return Wire(
            service="semantic_kernel",
            lacks=frozenset({*lacks, "json_schema", "json_mode"}),
            media=frozenset({"image_data", "image_url"}),
        )

    def _address(self) -> str:
        return identity_of(self.client)

    async def _generate(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AIMessage:
        names = names_of(settings)
        history = encode_history(messages, settings.notes, names.out)
        asked = self._settings(settings, names.out)
        call = self.client.get_chat_message_content(history, asked, kernel=Kernel())
        try:
            answer = await run.io.aside(call)
        except Exception as exc:
            raise self._error(exc) from exc
        if answer is None:
            raise WireError(f"`{self.model}` of Semantic Kernel gave no answer")
        chunk = read_chunk_names(decode(answer), names)
        message = cast("AIMessage", message_chunk_to_message(chunk))
        message.response_metadata = {**self._about(message), **message.response_metadata}
        return message

    async def _stream(
        self, messages: list[BaseMessage], settings: Settings, run: Run
    ) -> AsyncGenerator[AIMessageChunk, None]:
        names = names_of(settings)
        history = encode_history(messages, settings.notes, names.out)
        asked = self._settings(settings, names.out)
        source = self.client.get_streaming_chat_message_content(history, asked, kernel=Kernel())
        begun = False
        try:
            while (item := await run.io.aside(_next(source))) is not _END:
                if item is None:
                    continue
                chunk = read_chunk_names(decode(item), names)
                if not begun:
                    chunk.response_metadata = {**self._about(None), **chunk.response_metadata}
                begun = True
                yield chunk
        except Exception as exc:
            raise self._error(exc, begun) from exc
        finally:
            await run.io.aside(source.aclose())

    def _settings(self, settings: Settings, rename: Any) -> PromptExecutionSettings:
        """The prompt execution settings of one request, of the client's own class."""
        base = self.settings_base or PromptExecutionSettings()
        base = self.client.get_prompt_execution_settings_from_settings(base.model_copy(deep=True))
        other = settings.params.get("model", self.model)
        return encode_settings(settings, base, other if other != self.model else None, rename)

    def _about(self, message: AIMessage | None) -> dict[str, Any]:
        about = {"model_provider": self.provider, "model_name": self.model}
        if message is None:
            return about
        return {**about, "finish_reason": "tool_calls" if message.tool_calls else "unknown"}

    def _error(self, exc: Exception, begun: bool = False) -> Exception:
        """The error of ours for one of Semantic Kernel's or of the SDK below."""
        if isinstance(exc, HeadraceError):
            return exc
        found: HeadraceError | None = foreign_error(exc, self.model, begun=begun)
        if found is None:
            told = f"`{self.model}` of Semantic Kernel: {exc}"
            match exc:
                case ServiceInvalidAuthError():
                    found = ModelAuthenticationError(told)
                case ServiceInitializationError() | ServiceInvalidExecutionSettingsError():
                    found = ConfigurationError(told)
                case ServiceInvalidResponseError():
                    found = WireError(told)
                case KernelException():
                    found = ModelAPIError(told, is_retryable=False)
                case _:
                    return exc
        redact(found, _secrets_of(self.client))
        return found


async def _next(source: AsyncIterator[Any]) -> Any:
    return await anext(source, _END)


def _secrets_of(client: Any) -> tuple[str, ...]:
    """The keys that a client holds; some services repeat them in errors."""
    held = [one.get_secret_value() for one in vars(client).values() if isinstance(one, SecretStr)]
    key = getattr(getattr(client, "client", None), "api_key", None)
    return (*held, key) if isinstance(key, str) else tuple(held)
