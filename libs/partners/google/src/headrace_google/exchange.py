"""One request to `generateContent`: where it goes, and how it is written and read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.messages import AIMessage, BaseMessage
from headrace.transport import (
    ClientDoor,
    Exchange,
    Limits,
    RawRequest,
    SDKClient,
    key_now,
    request_id_of,
)
from headrace_google.client import (
    ClientArgs,
    GoogleSettings,
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
    from headrace.engine.worlds import World
    from headrace_google.chat import ChatGoogleGenerativeAI

_KEY_HEADER = "x-goog-api-key"
# Tools after whose use an answer ends with its sources.
_GROUNDING = frozenset(
    {
        "googleSearch", "googleSearchRetrieval", "googleMaps", "urlContext", "fileSearch",
        "retrieval", "enterpriseWebSearch", "exaAiSearch", "parallelAiSearch",
    }
)  # fmt: skip


class GoogleExchange(ClientDoor, Exchange):
    """A request to the Gemini API or to Vertex AI."""

    def __init__(self, model: ChatGoogleGenerativeAI, place: Place) -> None:
        self._model, self.place = model, place

    @cached_property
    def client_settings(self) -> GoogleSettings:
        place, model = self.place, self._model
        key = place.key
        project = default_project() if self.asks_for_project else place.project
        return GoogleSettings.of(
            model,
            place.url or "",
            key,
            vertex=place.vertex,
            version=place.version,
            project=project if place.vertex and key is None else None,
            location=place.location if place.vertex and key is None else None,
            credentials=None if key is not None else place.credentials,
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

    def make_client(self, is_async: bool) -> SDKClient:
        return make_client(self.client_settings, is_async)

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        facts = self._model.profile.facts
        return encode(messages, settings, self.place.provider, stream=stream, profile=facts)

    async def open(self, client: SDKClient, asked: RawRequest, limits: Limits, io: World) -> Any:
        return await client.sdk.open(asked, limits, await self._headers(io), io)

    async def send(
        self, client: SDKClient, body: Mapping[str, Any], limits: Limits, io: World
    ) -> Any:
        rest = {name: value for name, value in body.items() if name not in ("model", "stream")}
        way = "streamGenerateContent?alt=sse" if body.get("stream") else "generateContent"
        asked = RawRequest("post", f"{body['model']}:{way}", rest)
        return await client.sdk.generate(asked, limits, await self._headers(io), io)

    async def _headers(self, io: World) -> dict[str, str]:
        """The key, where it is asked for at each request."""
        key = self.client_settings.api_key
        return {_KEY_HEADER: await key_now(key, io)} if callable(key) else {}

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
