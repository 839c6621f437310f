"""One request to the Messages API: where it goes, and how it is written and read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.messages import AIMessage, BaseMessage
from headrace.transport import request_id_of
from headrace_anthropic.client import ClientSettings, SDKExchange
from headrace_anthropic.decode import Decoder, decode_response
from headrace_anthropic.encode import PREFILL, encode, prefilled

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace_anthropic.chat import ChatAnthropic
    from headrace_anthropic.place import Place


class MessagesExchange(SDKExchange):
    """The Messages API of Anthropic itself, or of a gateway that speaks it."""

    def __init__(self, model: ChatAnthropic, place: Place) -> None:
        self._model, self._place = model, place
        self._prefix = ""  # what the answer goes on from

    @cached_property
    def client_settings(self) -> ClientSettings:
        place, model = self._place, self._model
        return ClientSettings(
            place.url,
            place.key,
            own=place.own,
            proxy=model.proxy,
            headers=tuple((model.default_headers or {}).items()),
            query=tuple((model.default_query or {}).items()),
            http_client=model.http_client,
            http_async_client=model.http_async_client,
        )

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

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Decoder:
        return Decoder(
            provider=self._model.provider,
            request_id=request_id_of(headers),
            prefix=self._prefix,
        )
