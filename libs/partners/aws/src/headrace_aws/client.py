"""Opens boto3's raw responses: its credentials, signing, endpoints, proxies; our bytes.

The doors are events of botocore: `before-call` takes our body in place of the one that it would
write, `before-parse` gives the response before it is read into typed dicts. The only module that
imports the SDK, and only at the first request.
Source: `client.py` and `endpoint.py` of botocore 1.44 (read 2026-11)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from headrace.chat_models.wire import excerpt, parse
from headrace.credentials import Origin
from headrace.engine.worlds import async_world
from headrace.errors import (
    ConfigurationError,
    HeadraceError,
    InputError,
    MissingCredentialError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelTimeoutError,
    StreamInterruptedError,
    WireError,
)
from headrace.transport import Limits, Patience
from headrace_aws.account import Account
from headrace_aws.failures import failure
from headrace_aws.patient import put_timeouts, read_in_time, seconds, wake

RUNTIME, CONTROL = "bedrock-runtime", "bedrock"
_RAW = "HeadraceRaw"
_NETWORK = frozenset({"iam-role", "container-role"})  # sources that ask the machine they run on


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Who asks: a profile, keys, or what boto3 finds; `session`: the caller's own, of boto3.

    `seen`: a hash of what the environment says now, because a session reads that only once.
    """

    profile: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    session: Any = None
    seen: int = 0


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a client is made of; equal settings share one.

    `unsigned`: an API key goes out with each request in place of a signature. `explicit`: sign,
    whatever API key the environment holds. `config`: the caller's own, of botocore.
    """

    account: SessionSettings = SessionSettings()
    region: str | None = None
    url: str | None = None
    unsigned: bool = False
    explicit: bool = False
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    connections: int = 64
    config: Any = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one call brings past botocore's own parameters."""

    limits: Limits
    body: bytes = b""
    token: str | None = None


_outgoing: ContextVar[Outgoing | None] = ContextVar("headrace_aws_outgoing", default=None)
_loader: Any = None


class AWSSession:
    """A session of boto3, which is not safe between threads, and makes the clients that are.

    All regions and addresses of an account share it, so a role is assumed once. The first client
    of a process costs half a second, which goes into reading what describes the service; those
    that follow share it and cost some 15 ms.
    """

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._session: Any = settings.session

    def client(self, name: str, **options: Any) -> Any:
        """A new client of a service."""
        with self._lock:
            if self._session is None:
                self._session = _session(self._settings)
            return self._session.client(name, **options)

    def close(self) -> None:
        """A session holds nothing open."""


class AWSClient:
    """The clients of one address, a client for each service."""

    def __init__(self, settings: ClientSettings, session: AWSSession) -> None:
        self._settings, self._session = settings, session
        self._lock = Lock()
        self._clients: dict[str, Any] = {}

    def call(self, service: str, operation: str, outgoing: Outgoing, **params: Any) -> Any:
        """What an operation of a service gives; blocks."""
        client = self._client(service)
        before = _outgoing.set(outgoing)
        try:
            return getattr(client, operation)(**params)
        finally:
            _outgoing.reset(before)

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = _client(self._session, service, self._settings)
            return self._clients[service]

    def close(self) -> None:
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()


class Response:
    """An answer as bytes: whole, or a stream that a thread reads ahead in an async run."""

    def __init__(self, headers: Mapping[str, str], raw: Any, limits: Limits) -> None:
        self.headers = headers
        self._raw, self._limits = raw, limits
        self._reading: AsyncGenerator[list[bytes], None] | None = None

    def iter_bytes(self) -> Iterator[bytes]:
        if isinstance(self._raw, bytes):
            return iter((self._raw,))
        if isinstance(self._limits.read, Patience):
            return read_in_time(self._raw, self._limits.read.watch)
        return iter(self._raw.stream())

    async def aiter_bytes(self) -> AsyncGenerator[bytes, None]:
        if isinstance(self._raw, bytes):
            yield self._raw
            return
        self._reading = async_world().ahead(self._raw.stream(), partial(wake, self._raw))
        async for pieces in self._reading:
            yield b"".join(pieces)

    def close(self) -> None:
        """Closes the connection, unless all of the answer was read."""
        if not isinstance(self._raw, bytes):
            self._raw.close()

    async def aclose(self) -> None:
        """The same; the thread that reads is woken, and has left when this comes back."""
        if self._reading is not None:
            await self._reading.aclose()
        self.close()


def warm() -> None:
    """Does in a worker what would block an event loop: the imports."""
    import boto3  # type: ignore[import-untyped]  # boto3 ships no types  # noqa: F401


def send(client: AWSClient, operation: str, model: str, outgoing: Outgoing) -> Response:
    """The answer to a body, unread if it is a stream; blocks."""
    answer = client.call(RUNTIME, operation, outgoing, modelId=model)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return Response(headers, answer[_RAW], outgoing.limits)


def count_tokens(client: AWSClient, model: str, outgoing: Outgoing) -> int:
    """Tokens of the conversation in a body, as the service counts them; blocks."""
    # The input is a parameter that botocore insists on; our body takes its place.
    whole: dict[str, Any] = {"converse": {"messages": []}}
    answer = client.call(RUNTIME, "count_tokens", outgoing, modelId=model, input=whole)
    return int(parse(answer[_RAW])["inputTokens"])


def list_names(client: AWSClient, limits: Limits, token: str | None) -> list[str]:
    """The ids of models and inference profiles that answer in text; blocks."""
    outgoing = Outgoing(limits, token=token)
    listed = client.call(CONTROL, "list_foundation_models", outgoing, byOutputModality="TEXT")
    names = {
        row["modelId"]
        for row in listed["modelSummaries"]
        if "ON_DEMAND" in (row.get("inferenceTypesSupported") or ("ON_DEMAND",))
    }
    more: dict[str, Any] = {}
    while True:
        page = client.call(CONTROL, "list_inference_profiles", outgoing, **more)
        names |= {row["inferenceProfileId"] for row in page["inferenceProfileSummaries"]}
        if not page.get("nextToken"):
            return sorted(names)
        more = {"nextToken": page["nextToken"]}


def _session(settings: SessionSettings) -> Any:
    import boto3
    import botocore.loaders  # type: ignore[import-untyped]  # botocore ships no types
    import botocore.session  # type: ignore[import-untyped]  # as above

    global _loader
    inner = botocore.session.Session(profile=settings.profile)
    if _loader is None:
        _loader = inner.get_component("data_loader")
    # What is read of a service's description is the same for all sessions.
    inner.register_component("data_loader", _loader)
    return boto3.Session(
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        aws_session_token=settings.session_token,
        botocore_session=inner,
    )


def _client(session: AWSSession, name: str, settings: ClientSettings) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config  # type: ignore[import-untyped]  # as above

    options: dict[str, Any] = {
        "retries": {"total_max_attempts": 1, "mode": "standard"},
        "max_pool_connections": settings.connections,
        "user_agent_extra": "headrace/0.1",
    }
    if settings.unsigned:
        options["signature_version"] = UNSIGNED
    elif settings.explicit:
        options["signature_version"] = "v4"
    if settings.proxy:
        options["proxies"] = {"http": settings.proxy, "https": settings.proxy}
    config = Config(**options)
    if settings.config is not None:
        config = settings.config.merge(config)
    url = settings.url if name == RUNTIME else None
    client = session.client(name, region_name=settings.region, endpoint_url=url, config=config)
    _open_doors(client, settings)
    put_timeouts(client, _timeout_of_call())
    return client


def _timeout_of_call() -> Any:
    """A timeout of urllib3 that asks the call that is being made."""
    from urllib3.util import Timeout

    class OfCall(Timeout):
        def clone(self) -> Timeout:
            outgoing = _outgoing.get()
            if outgoing is None:
                return super().clone()
            limits = outgoing.limits
            return Timeout(connect=seconds(limits.connect), read=seconds(limits.read))

    return OfCall(connect=60, read=60)


def _open_doors(client: Any, settings: ClientSettings) -> None:
    def put_in(params: dict[str, Any], **_: Any) -> None:
        params["headers"].update(settings.headers)
        outgoing = _outgoing.get()
        if outgoing is None:
            return
        if outgoing.body:
            params["body"] = outgoing.body
        if outgoing.token is not None:
            params["headers"]["Authorization"] = f"Bearer {outgoing.token}"

    def leave_unread(request: Any, **_: Any) -> None:
        request.stream_output = True  # else a broken answer looks like no answer at all

    def take_out(
        response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
    ) -> None:
        if response_dict["status_code"] < 300:
            customized_response_dict[_RAW] = response_dict["body"]
            streams = not isinstance(response_dict["body"], bytes)
            response_dict["body"] = None if streams else b"{}"

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"before-call.{service}", put_in)
    client.meta.events.register(f"before-send.{service}", leave_unread)
    if service == RUNTIME:
        for operation in ("Converse", "ConverseStream", "CountTokens"):
            client.meta.events.register(f"before-parse.{service}.{operation}", take_out)


def chain_source(account: Account) -> Origin:
    """What boto3 would sign a request with, without asking the network, without its value."""
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]  # untyped
    from botocore.session import Session

    if account.token is not None:
        return {**account.found.origins["api_key"], "value": "API key"}
    if account.given("aws_access_key_id"):
        return {"source": account.found.source("aws_access_key_id"), "value": "access keys"}
    try:
        session = Session(profile=account.given("profile_name"))
        providers = session.get_component("credential_provider").providers
        for provider in providers:
            if provider.METHOD not in _NETWORK and provider.load() is not None:
                return {"source": "environment", "value": f"boto3: {provider.METHOD}"}
    except BotoCoreError as exc:
        return {"source": "missing", "value": f"boto3: {exc}"}
    return {"source": "missing", "value": "boto3: at most the role of this machine (not asked)"}


def sdk_error(exc: Exception, host: str, *, begun: bool) -> Exception:
    """The error of ours for one of the SDK or its HTTP client; any other as it is."""
    import botocore.exceptions as sdk

    match exc:
        case HeadraceError():
            return exc
        case sdk.ClientError():
            return _refused(exc)
        case sdk.NoCredentialsError() | sdk.NoAuthTokenError():
            return MissingCredentialError(
                "boto3 finds no credentials for `bedrock_converse`: pass `bedrock_api_key`, "
                "`aws_access_key_id` and `aws_secret_access_key`, or `credentials_profile_name`, "
                "or set `AWS_BEARER_TOKEN_BEDROCK` or `AWS_PROFILE` in the environment"
            )
        case sdk.NoRegionError():
            return ConfigurationError(
                "no region for `bedrock_converse`: pass `region_name`, or set `AWS_REGION`"
            )
        case (
            sdk.CredentialRetrievalError()
            | sdk.TokenRetrievalError()
            | sdk.SSOError()
            | sdk.RefreshWithMFAUnsupportedError()
        ):
            return ModelAuthenticationError(f"boto3 cannot get credentials: {excerpt(str(exc))}")
        case sdk.ParamValidationError():
            return InputError(f"boto3 refused the request: {exc}")
    return _unreached(exc, host, begun=begun)


def _unreached(exc: Exception, host: str, *, begun: bool) -> Exception:
    import botocore.exceptions as sdk
    import urllib3.exceptions as http
    from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]  # no types

    told = excerpt(str(exc)) or type(exc).__name__
    match exc:
        case sdk.ConnectTimeoutError():
            return ModelTimeoutError(
                f"no connection to `{host}` in time; raise `timeout.connect` or check the network"
            )
        case sdk.ReadTimeoutError() | http.ReadTimeoutError():
            return ModelTimeoutError(
                f"`{host}` sent nothing for too long; raise `timeout`, or ask for less"
            )
        # `leave_unread` sees to it that what breaks while an answer is read comes as it is.
        case http.HTTPError() | sdk.ResponseStreamingError() | sdk.IncompleteReadError():
            return StreamInterruptedError(f"the connection to `{host}` broke off: {told}")
        case sdk.HTTPClientError() | OSError() if begun:
            return StreamInterruptedError(f"the connection to `{host}` broke off: {told}")
        case sdk.HTTPClientError() | sdk.ConnectionError():
            return ModelConnectionError(f"no connection to `{host}`: {told}")
        case ResponseParserError():
            return WireError(f"`{host}` sent what boto3 cannot read: {told}")
        case sdk.BotoCoreError():
            return ConfigurationError(f"boto3 refused the request: {told}")
    return exc


def _refused(exc: Any) -> Exception:
    said, about = exc.response.get("Error", {}), exc.response.get("ResponseMetadata", {})
    message = said.get("Message") or str(exc)
    if exc.response.get("originalMessage"):
        message = f"{message}: {exc.response['originalMessage']}"
    return failure(
        about.get("HTTPStatusCode") or 500,
        said.get("Code"),
        message,
        about.get("HTTPHeaders") or {},
        request_id=about.get("RequestId"),
    )
