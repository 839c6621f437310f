"""Opens the SDK's raw response: its security, hooks and headers, our bytes.

The SDK's `chat.complete` builds typed objects both ways; below it stand `_build_request`, which
takes a serialised body, and `do_request`, which gives an unread response. A test holds them
against the installed version.
The only module that imports the SDK, and only at the first request.
Source: `basesdk.py` of mistralai 3.7 (read 2026-11)
"""

from __future__ import annotations

import json
from typing import Any

from headrace.transport import Limits, LowerDoor, RawRequest, SDKClient, ssl_context

MODELS = "/v1/models"


class MistralDoor(LowerDoor):
    """A request through the lower methods of the SDK's chat."""

    path = "/v1/chat/completions"

    def make_client(self, is_async: bool) -> SDKClient:
        import httpx2
        from mistralai.client import Mistral

        settings = self.client_settings
        lent = settings.lent(is_async)
        make: Any = httpx2.AsyncClient if is_async else httpx2.Client
        given = {"verify": ssl_context(), "proxy": settings.proxy, "follow_redirects": True}
        http = lent or make(**given)
        # Both are given: one left out would be made by the SDK, with an SSL context of its own.
        unused: Any = httpx2.Client if is_async else httpx2.AsyncClient
        other = unused(verify=ssl_context())
        sdk = Mistral(
            server_url=settings.base_url,
            client=other if is_async else http,
            async_client=http if is_async else other,
            retry_config=None,
        )
        return SDKClient(sdk, http=http, lent=lent is not None)

    def request(self, client: SDKClient, asked: RawRequest, limits: Limits, key: Any) -> Any:
        from mistralai.client import models
        from mistralai.client.utils import SerializedRequestBody

        settings, chat = self.client_settings, client.sdk.chat
        text = None if asked.body is None else json.dumps(asked.body, ensure_ascii=False).encode()
        build = chat._build_request_async if client.is_async else chat._build_request
        request = build(
            method=asked.method, path=asked.path, base_url=settings.base_url, url_variables=None,
            request=None, request_body_required=False, request_has_path_params=False,
            request_has_query_params=False, user_agent_header="user-agent",
            accept_header_value="application/json, text/event-stream",
            http_headers=dict(settings.headers), security=models.Security(api_key=key),
            timeout_ms=None, allow_empty_value=None,
            get_serialized_body=lambda: SerializedRequestBody("application/json", content=text),
        )  # fmt: skip
        request.extensions["timeout"] = limits.timeout.as_dict()
        return request

    def sent(self, client: SDKClient, request: Any) -> Any:
        from mistralai.client._hooks import HookContext

        chat = client.sdk.chat
        context = HookContext(
            config=chat.sdk_configuration, base_url=self.client_settings.base_url,
            operation_id="chat_completion_v1_chat_completions_post", oauth2_scopes=None,
            security_source=None, tags=["chat"], extensions=None,
        )  # fmt: skip
        do = chat.do_request_async if client.is_async else chat.do_request
        return do(context, request, _never, stream=True)


def _never(status: int) -> bool:
    return False  # what a status means is decided here, not by the SDK


def warm() -> None:
    """Does in a worker what would block an event loop: the imports, and the SSL context."""
    from mistralai.client import Mistral  # noqa: F401 - only to have it loaded

    ssl_context()
