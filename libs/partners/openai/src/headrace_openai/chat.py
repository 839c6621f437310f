"""ChatOpenAI: Chat Completions of OpenAI and of every compatible service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from headrace.chat_models import BaseChatModel, Wire, fields
from headrace.transport import RawChatModel, RawRequest
from headrace_openai.account import OpenAIAccount, also
from headrace_openai.caching import BREAKPOINT, has_breakpoints
from headrace_openai.dialects import Dialect
from headrace_openai.exchange import ChatExchange, ResponsesExchange
from headrace_openai.input_tokens import PATH, count_request, read_count
from headrace_openai.parameters import SPELLINGS, read_effort, responses_wire_of, wire_of
from headrace_openai.responses import needs_responses
from headrace_openai.tokens import COUNTED, count_body, encoder_for

if TYPE_CHECKING:
    from headrace.chat_models.settings import Settings
    from headrace.engine.run import Run
    from headrace.messages import BaseMessage


class ChatOpenAI(OpenAIAccount, RawChatModel):
    """A model of OpenAI, or of a service that speaks Chat Completions like it.

    `base_url` decides the dialect by its exact host; an unknown host gets the conservative one
    (`max_tokens`, system role, no `strict`). `dialect` names a row of headrace_openai.dialects.
    Ranges: https://developers.openai.com/api/reference/resources/chat (read 2026-11)
    """

    effort_spellings: ClassVar[frozenset[str]] = SPELLINGS
    plumbing: ClassVar[frozenset[str]] = (
        BaseChatModel.plumbing | OpenAIAccount.plumbing | {"use_responses_api"}
    )

    max_tokens: int | None = Field(
        default=None, ge=1, description="Bound of the answer in tokens, reasoning included.",
        validation_alias=also("max_tokens", "max_completion_tokens"),
    )  # fmt: skip

    top_p: fields.TopP = None
    n: fields.Answers = Field(default=None, le=128)
    seed: fields.Seed = None
    logprobs: fields.Logprobs = None
    top_logprobs: fields.TopLogprobs = None
    logit_bias: fields.LogitBias = None
    presence_penalty: fields.PresencePenalty = None
    frequency_penalty: fields.FrequencyPenalty = None
    parallel_tool_calls: fields.ParallelCalls = None
    verbosity: Literal["low", "medium", "high"] | None = Field(
        default=None, description="How wordy."
    )
    service_tier: str | None = Field(
        default=None, description="auto, default, flex, scale, priority or fast."
    )
    store: bool | None = Field(default=None, description="Keep the answer at the provider.")
    user: str | None = Field(default=None, description="Your end user; see `safety_identifier`.")
    safety_identifier: str | None = Field(
        default=None, max_length=64, description="Stable id of your end user, hashed."
    )
    prompt_cache_key: str | None = Field(default=None, description="Routes alike prompts together.")
    prompt_cache_retention: Literal["in_memory", "24h"] | None = Field(
        default=None, description="How long a cached prompt is kept."
    )
    prompt_cache_options: Mapping[str, Any] | None = Field(
        default=None, description='{"mode": "implicit" | "explicit", "ttl"}.'
    )
    modalities: tuple[Literal["text", "audio"], ...] | None = Field(
        default=None, description="What the answer is made of."
    )
    audio: Mapping[str, Any] | None = Field(
        default=None, description='{"voice", "format"} of speech.'
    )
    prediction: Mapping[str, Any] | None = Field(
        default=None, description="Text the answer resembles."
    )
    web_search_options: Mapping[str, Any] | None = Field(
        default=None, description="For search models."
    )
    moderation: Mapping[str, Any] | None = Field(
        default=None, description="Moderation beside the call."
    )
    use_responses_api: bool | None = Field(
        default=None, description="The Responses API; by itself where model or request need it."
    )
    use_previous_response_id: bool | None = Field(
        default=None, description="Send only what follows the last answer, which was stored."
    )
    previous_response_id: str | None = Field(
        default=None, description="Stored answer that this request continues."
    )
    conversation: str | Mapping[str, Any] | None = Field(
        default=None, description="Stored conversation that this request belongs to."
    )
    reasoning_summary: Literal["auto", "concise", "detailed"] | None = Field(
        default=None, description="How much of its reasoning a model tells."
    )
    include: tuple[str, ...] | None = Field(
        default=None, description='What more to send, such as "web_search_call.results".'
    )
    truncation: Literal["auto", "disabled"] | None = Field(
        default=None, description="Whether too long an input is cut in its middle."
    )
    context_management: tuple[Mapping[str, Any], ...] | None = Field(
        default=None, description='Such as {"type": "compaction", "compact_threshold"}.'
    )
    background: bool | None = Field(default=None, description="Answer later; ask by its id.")
    max_tool_calls: int | None = Field(
        default=None, ge=1, description="Bound of calls of the service's own tools."
    )
    prompt: Mapping[str, Any] | None = Field(
        default=None, description='Stored prompt: {"id", "version", "variables"}.'
    )
    stream_usage: bool = Field(default=True, description="Ask for usage at the end of a stream.")
    stream_options: Mapping[str, Any] | None = Field(default=None, description="In place of that.")

    def _exchange(self) -> ChatExchange:
        return ChatExchange(self, self._place())

    def _exchange_for(self, settings: Settings) -> ChatExchange:
        place = self._place()
        kind = ResponsesExchange if self._uses_responses(place.dialect, settings) else ChatExchange
        return kind(self, place)

    def _uses_responses(self, dialect: Dialect, settings: Settings) -> bool:
        """By `use_responses_api`; else for a model or a request that Chat Completions lacks."""
        if self.use_responses_api is not None:
            return self.use_responses_api
        if not dialect.responses:
            return False
        shape = (self.profile.get("wire") or {}).get("shape")
        return shape == "responses" or needs_responses(settings.params, settings.tools)

    def _wire(self) -> Wire:
        return self._wire_by(self._dialect(), bool(self.use_responses_api), self.model)

    def _wire_for(self, settings: Settings) -> Wire:
        dialect, name = self._dialect(), str(settings.params.get("model", self.model))
        return self._wire_by(dialect, self._uses_responses(dialect, settings), name)

    def _wire_by(self, dialect: Dialect, responses: bool, model: str) -> Wire:
        breakpoints = dialect.cache_mark == BREAKPOINT and has_breakpoints(model)
        return (responses_wire_of if responses else wire_of)(dialect, breakpoints)

    def _text_tokens(self, text: str) -> int:
        if self._dialect().id not in COUNTED:
            return super()._text_tokens(text)
        return encoder_for(self.model)(text)

    def _estimate_tokens(self, messages: list[BaseMessage], settings: Settings) -> int:
        if self._dialect().id not in COUNTED:
            return super()._estimate_tokens(messages, settings)
        model = str(settings.params.get("model", self.model))
        body = self._exchange_for(settings).encode(messages, settings, stream=False)
        return count_body(body, encoder_for(model), model)

    async def _count_tokens(self, messages: list[BaseMessage], settings: Settings, run: Run) -> int:
        if self._dialect().id not in COUNTED:
            return await super()._count_tokens(messages, settings, run)
        exchange = ResponsesExchange(self, self._place())
        body = count_request(exchange.encode(messages, settings, stream=False))
        return read_count(await self._fetch(exchange, RawRequest("POST", PATH, body), run.io))

    @classmethod
    def _read_effort(cls, given: Mapping[str, Any]) -> str | int | Mapping[str, Any]:
        return read_effort(given)

    def _structured_method(self, settings: Settings) -> str:
        dialect = self._dialect()
        if not dialect.json_schema:
            return "function_calling"
        if not dialect.tools:
            return "json_schema"
        known = self.profile.get("structured_output")
        if known is None and dialect.strict:
            return "json_schema"
        return super()._structured_method(settings)
