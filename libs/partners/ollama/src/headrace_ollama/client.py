"""Opens the SDK's HTTP client: its address and headers, our bytes.

The SDK's public `chat` builds typed objects both ways, and its type of a tool's parameters has no
room for nested objects, unions or bounds: they would be lost. So requests go through the HTTP
client that the SDK made. A test holds this door against the installed version.
The only module that imports the SDK, and only at the first request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.errors import ModelConnectionError, ModelError, ModelNotFoundError
from headrace.transport import Limits, LowerDoor, RawRequest, SDKClient, cause, ssl_context

MODELS = "/api/tags"


class OllamaDoor(LowerDoor):
    """A request through the SDK's HTTP client, which sits on httpx2's predecessor."""

    path = "/api/chat"
    model_name: str

    def make_client(self, is_async: bool) -> SDKClient:
        import ollama

        settings = self.client_settings
        make: Any = ollama.AsyncClient if is_async else ollama.Client
        given: dict[str, Any] = dict(settings.headers)
        sdk = make(settings.base_url, headers=given, verify=ssl_context(), proxy=settings.proxy)
        http = sdk._client
        if "authorization" not in {name.lower() for name in given}:
            # The SDK sends OLLAMA_API_KEY wherever it is told to; it is of the cloud alone.
            http.headers.pop("authorization", None)
        return SDKClient(sdk, http=http)  # the SDK's own `close` is missing in some versions

    def http(self) -> Any:
        import httpx

        return httpx

    def request(self, client: SDKClient, asked: RawRequest, limits: Limits, key: Any) -> Any:
        timeout = limits.timeout_of(self.http())
        request = client.http.build_request(
            asked.method, asked.path, json=asked.body, timeout=timeout
        )
        if key is not None:
            request.headers["authorization"] = f"Bearer {key}"
        return request

    def refused(self, status: int, body: Any, headers: Mapping[str, str]) -> ModelError:
        found = super().refused(status, body, headers)
        if isinstance(found, ModelNotFoundError) and "model" in str(found):
            message = f"{found}; pull it first: ollama pull {self.model_name}"
            return ModelNotFoundError(message, status=status, code=found.code)
        return found

    def error(self, exc: Exception, *, begun: bool) -> Exception:
        if isinstance(exc, self.http().ConnectError):
            return ModelConnectionError(
                f"no connection to Ollama at `{self.host}`: {cause(exc)}; is it running "
                "(`ollama serve`), and is `base_url` or OLLAMA_HOST right?"
            )
        return super().error(exc, begun=begun)


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    import ollama  # noqa: F401 - only to have it loaded

    ssl_context()
