"""One request to `generateContent`: where it goes, and how it is written and read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.messages import AIMessage, BaseMessage
from headrace.transport import Exchange, Limits, SDKClient, request_id_of
from headrace_google.client import (
    ClientArgs,
    ClientSettings,
    default_project,
    make_client,
    sdk_error,
)
from headrace_google.decode import Decoder, decode_response
from headrace_google.encode import encode
from headrace_google.place import Place
from headrace_google.tooling import tool_names

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace_google.chat import ChatGoogleGenerativeAI

# Tools after whose use an answer ends with its sources.
_GROUNDING = frozenset(
    {
        "googleSearch", "googleSearchRetrieval", "googleMaps", "urlContext", "fileSearch",
        "retrieval", "enterpriseWebSearch", "exaAiSearch", "parallelAiSearch",
    }
)  # fmt: skip


class GoogleExchange(Exchange):
    """A request to the Gemini API or to Vertex AI."""

    def __init__(self, model: ChatGoogleGenerativeAI, place: Place) -> None:
        self._model, self.place = model, place

    @cached_property
    def client_settings(self) -> ClientSettings:
        """What the client is made of, the key among it."""
        place, model = self.place, self._model
        key = place.key
        project = default_project() if self.asks_for_project else place.project
        return ClientSettings(
            place.vertex,
            place.url,
            place.version,
            key,
            project=project if place.vertex and key is None else None,
            location=place.location if place.vertex and key is None else None,
            credentials=None if key is not None else place.credentials,
            proxy=model.proxy,
            headers=tuple((model.default_headers or {}).items()),
            http_client=model.http_client,
            http_async_client=model.http_async_client,
            args=ClientArgs(model.client_args or {}),
        )

    @property
    def asks_for_project(self) -> bool:
        """Whether the project is to be found out from the machine's credentials."""
        place = self.place
        return place.vertex and place.key is None and place.project is None

    @property
    def host(self) -> str:
        return self.place.host

    @property
    def client_key(self) -> Hashable:
        return self.client_settings

    @property
    def secrets(self) -> tuple[str, ...]:
        key = self.client_settings.api_key
        return (key,) if isinstance(key, str) else ()

    def make_client(self, is_async: bool) -> SDKClient:
        return make_client(self.client_settings, is_async)

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        facts = self._model.profile.facts
        return encode(messages, settings, self.place.provider, stream=stream, profile=facts)

    def send(self, client: SDKClient, body: Mapping[str, Any], limits: Limits) -> Any:
        rest = {name: value for name, value in body.items() if name not in ("model", "stream")}
        way = "streamGenerateContent?alt=sse" if body.get("stream") else "generateContent"
        return client.sdk.open("post", f"{body['model']}:{way}", rest, limits)

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        return decode_response(
            body, provider=self.place.provider, request_id=request_id_of(headers)
        )

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Decoder:
        return Decoder(
            provider=self.place.provider,
            request_id=request_id_of(headers),
            grounded=not _GROUNDING.isdisjoint(tool_names(body)),
        )

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        return sdk_error(exc, self.place.host, begun=begun)
