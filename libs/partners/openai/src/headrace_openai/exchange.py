"""One request to either API: where it goes, and how it is written and read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.messages import AIMessage, BaseMessage
from headrace.transport import EventDecoder, request_id_of
from headrace_openai import responses
from headrace_openai.answering import CompletionsExchange
from headrace_openai.client import OpenAIDoor, OpenAISettings
from headrace_openai.dialects import OPENAI
from headrace_openai.encode import encode
from headrace_openai.place import Place

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace_openai.account import OpenAIAccount


class Placed(OpenAIDoor):
    """A request of a model, whatever its kind, to its place."""

    def __init__(self, model: OpenAIAccount, place: Place) -> None:
        self._model, self._place = model, place

    @cached_property
    def client_settings(self) -> OpenAISettings:
        place, model = self._place, self._model
        return OpenAISettings.of(
            model,
            place.url,
            place.key,
            own=place.dialect is OPENAI,
            organization=place.sent("organization"),
            project=place.sent("project"),
            query=tuple((model.default_query or {}).items()),
            api_version=place.api_version,
            is_token=place.is_token,
            async_transport=model.async_transport,
        )

    def _deployed(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body, with the deployment's name in place of the model's, where there is one."""
        if self._place.deployment and body.get("model") == self._model.model:
            body["model"] = self._place.deployment
        return body


class ChatExchange(Placed, CompletionsExchange):
    """Chat Completions in the dialect of the place."""

    path = "/chat/completions"

    @property
    def provider(self) -> str:
        return self._place.dialect.id

    def annotated(self, body: Mapping[str, Any]) -> bool:
        return "web_search_options" in body or "-search" in body.get("model", "")

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        facts = self._model.profile.facts
        body = encode(messages, settings, self._place.dialect, stream=stream, profile=facts)
        return self._deployed(body)


class ResponsesExchange(ChatExchange):
    """The Responses API of the place."""

    path = "/responses"

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        facts = self._model.profile.facts
        dialect = self._place.dialect
        body = responses.encode(messages, settings, dialect, stream=stream, profile=facts)
        return self._deployed(body)

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        id = request_id_of(headers)
        return responses.decode_response(body, provider=self.provider, request_id=id)

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> EventDecoder:
        return responses.Decoder(provider=self.provider, request_id=request_id_of(headers))
