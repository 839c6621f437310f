"""One request to Converse: where it goes, and how it is written and read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from headrace.messages import AIMessage, BaseMessage
from headrace.transport import Exchange, Limits, key_now, request_id_of
from headrace_aws.account import KEYS, Account
from headrace_aws.client import (
    AWSClient,
    AWSSession,
    ClientSettings,
    Outgoing,
    Response,
    SessionSettings,
    sdk_error,
    send,
)
from headrace_aws.decode import Decoder, decode_response
from headrace_aws.encode import encode
from headrace_aws.families import family_of

if TYPE_CHECKING:
    from headrace.chat_models import Settings
    from headrace.engine.worlds import World
    from headrace_aws.chat import ChatBedrockConverse

_SECRETS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "api_key")


class ConverseExchange(Exchange):
    """Converse, or ConverseStream if the request was written for a stream."""

    def __init__(self, model: ChatBedrockConverse, account: Account) -> None:
        self._model, self.account = model, account
        self.token: str | None = None  # the API key, as asked for this request
        self._asked, self._stream = model.model, False

    @property
    def host(self) -> str:
        return self.account.host

    @property
    def client_key(self) -> Hashable:
        return self.client_settings

    @property
    def secrets(self) -> tuple[str, ...]:
        values = (self.token, *(self.account.found.values.get(name) for name in _SECRETS))
        return tuple(value for value in values if isinstance(value, str))

    @cached_property
    def client_settings(self) -> ClientSettings:
        model, account = self._model, self.account
        account.check_token()
        return ClientSettings(
            account=self.session_settings,
            region=account.region,
            url=account.url,
            unsigned=account.token is not None,
            explicit=account.explicit or model.session is not None,
            proxy=model.proxy,
            headers=tuple((model.default_headers or {}).items()),
            connections=model.max_pool_connections,
            config=model.config,
        )

    @property
    def session_settings(self) -> SessionSettings:
        """Whose credentials sign; nobody's where an API key goes out."""
        account, session = self.account, self._model.session
        if account.token is not None:
            return SessionSettings(session=session)
        return SessionSettings(
            profile=account.given("profile_name"),
            access_key=account.given("aws_access_key_id"),
            secret_key=account.given("aws_secret_access_key"),
            session_token=account.given("aws_session_token"),
            session=session,
            seen=hash(tuple(account.found.values.get(name) for name in KEYS)),
        )

    def make_client(self, is_async: bool) -> Any:
        return AWSClient(self.client_settings, AWSSession(self.session_settings))

    def encode(
        self, messages: list[BaseMessage], settings: Settings, *, stream: bool
    ) -> dict[str, Any]:
        self._stream = stream
        self._asked = str(settings.params.get("model", self._asked))
        family = family_of(self._model.base_model or self._asked)
        facts = self._model.profile.facts
        return encode(messages, settings, family, stream=stream, profile=facts)

    async def send(
        self, client: Any, body: Mapping[str, Any], limits: Limits, io: World
    ) -> Response:
        """The response, unread if it is a stream; in an async run by a thread."""
        rest = {key: value for key, value in body.items() if key != "modelId"}
        operation = "converse_stream" if self._stream else "converse"
        outgoing = Outgoing(limits, to_json(rest), await self.ask_token(io))
        model = str(body["modelId"])
        return await io.blocking(send, client, operation, model, outgoing, undo=Response.close)

    async def ask_token(self, io: World) -> str | None:
        """The API key of this request: as given, or as the caller's function gives it now."""
        self.token = await key_now(self.account.token, io)
        return self.token

    def decode(self, body: Any, headers: Mapping[str, str]) -> AIMessage:
        return decode_response(body, model=self._asked, request_id=request_id_of(headers))

    def decoder(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Decoder:
        id = request_id_of(headers)
        return Decoder(model=self._asked, request_id=id, annotated=cites(body))

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        return sdk_error(exc, self.host, begun=begun)


def cites(body: Mapping[str, Any]) -> bool:
    """Whether a request asks for sources: of its documents, or by a tool of the service."""
    tools = (body.get("toolConfig") or {}).get("tools") or ()
    if any("systemTool" in tool for tool in tools):
        return True
    parts = [part for message in body.get("messages") or () for part in message["content"]]
    inner = [item for part in parts for item in part.get("toolResult", {}).get("content") or ()]
    return any(
        ((part.get("document") or part.get("searchResult") or {}).get("citations") or {}).get(
            "enabled"
        )
        for part in (*parts, *inner)
    )
