"""Answers of Chat Completions, whichever SDK the requests for them go through."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from headrace.messages import AIMessage
from headrace.transport import EventDecoder, Exchange, request_id_of
from headrace_openai.decode import Decoder, decode_response


class CompletionsExchange(Exchange):
    """An exchange whose answers are Chat Completions; encoder and door are added to it."""

    @property
    @abstractmethod
    def provider(self) -> str:
        """Whose answers they are, by provider id."""

    def annotated(self, body: Mapping[str, Any]) -> bool:
        """Whether the request asks for an answer with sources."""
        return False

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        id = request_id_of(headers)
        return decode_response(body, provider=self.provider, request_id=id)

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> EventDecoder:
        id = request_id_of(headers)
        return Decoder(provider=self.provider, request_id=id, annotated=self.annotated(body))
