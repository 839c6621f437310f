"""One request to the Messages API: where it goes, and how it is written and read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.messages import AIMessage, BaseMessage
from headrace.transport import EventDecoder, Exchange, request_id_of
from headrace_anthropic.client import AnthropicDoor, AnthropicSettings
from headrace_anthropic.counting import COUNTED
from headrace_anthropic.decode import Decoder, decode_response
from headrace_anthropic.encode import PREFILL, encode, prefilled
from headrace_anthropic.framed import FrameDecoder, is_framed

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace_anthropic.chat import ChatAnthropic


class MessagesExchange(AnthropicDoor, Exchange):
    """The Messages API, wherever the model says it is."""

    def __init__(self, model: ChatAnthropic) -> None:
        self._model = model
        self._prefix = ""  # what the answer goes on from

    @cached_property
    def client_settings(self) -> AnthropicSettings:
        return self._model._client_settings()

    def count_body(self, messages: list[BaseMessage], settings: Settings) -> dict[str, Any]:
        """The request that asks how many tokens another one has."""
        body = self.encode(messages, settings, stream=False)
        return {key: value for key, value in body.items() if key in COUNTED}

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        facts = self._model.profile.facts
        self._prefix = PREFILL if prefilled(settings, facts) else ""
        return encode(messages, settings, facts, stream=stream)

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        return decode_response(
            body,
            provider=self._model.provider,
            request_id=request_id_of(headers),
            prefix=self._prefix,
        )

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> EventDecoder:
        decoder = Decoder(
            provider=self._model.provider,
            request_id=request_id_of(headers),
            prefix=self._prefix,
        )
        return FrameDecoder(decoder) if is_framed(headers) else decoder
