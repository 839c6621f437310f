"""One request to DashScope: where it goes, and how it is written and read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.messages import AIMessage, BaseMessage
from headrace.transport import (
    ClientDoor,
    ClientSettings,
    Exchange,
    Limits,
    RawRequest,
    SDKClient,
)
from headrace_dashscope.client import Asker, make_client, open_response, sdk_error
from headrace_dashscope.decode import Decoder, decode_response
from headrace_dashscope.encode import encode, is_multimodal, sees
from headrace_dashscope.place import MULTIMODAL, TEXT, DashScopePlace

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.worlds import World
    from headrace_dashscope.chat import ChatDashScope


class ChatExchange(ClientDoor, Exchange):
    """A request for an answer, at the endpoint that its model and its content need."""

    def __init__(self, model: ChatDashScope, place: DashScopePlace) -> None:
        self._model, self._place = model, place
        self._path, self._streams, self._name = TEXT, True, model.model

    @property
    def client_settings(self) -> ClientSettings:
        """Without the key: that and the headers go out with each request."""
        _ = self.asker  # a missing key is an error before a client is made
        return ClientSettings(self._place.url, None, self._model.proxy)

    @property
    def secrets(self) -> tuple[str, ...]:
        key = self.asker.key
        return (key,) if isinstance(key, str) else ()

    @cached_property
    def asker(self) -> Asker:
        """In whose name it is sent."""
        headers = tuple((self._model.default_headers or {}).items())
        return Asker(self._place.key, self._model.workspace, headers)

    def make_client(self, is_async: bool) -> SDKClient:
        return make_client(self._place.url, self._model.proxy, is_async)

    async def open(self, client: SDKClient, asked: RawRequest, limits: Limits, io: World) -> Any:
        return await open_response(client, asked, self.asker, limits, io)

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        model, facts = self._model, self._model.profile.facts
        self._name = name = str(settings.params.get("model", model.model))
        self._streams = stream or thinks(settings.params, facts)
        wants = sees(name, facts) if model.multimodal is None else model.multimodal
        body = encode(messages, settings, stream=self._streams, multimodal=wants)
        self._path = MULTIMODAL if wants or is_multimodal(body) else TEXT
        return body

    async def send(
        self, client: SDKClient, body: Mapping[str, Any], limits: Limits, io: World
    ) -> Any:
        asked, streams = RawRequest("POST", self._path, body), self._streams
        return await open_response(client, asked, self.asker, limits, io, stream=streams)

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        return decode_response(body, model=self._name)

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Decoder:
        asked = body.get("parameters") or {}
        return Decoder(annotated=bool(asked.get("enable_search")), model=self._name)

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        return sdk_error(exc, self.host, begun=begun)


def thinks(params: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a model may think, which DashScope lets it do only in a stream.

    Models of which nothing is known may: open Qwen3 models think unless told not to.
    Source: https://help.aliyun.com/en/model-studio/deep-thinking (read 2026-11)
    """
    if params.get("reasoning_effort") in ("none", 0, False):
        return False
    return facts.get("reasoning_output") is not False
