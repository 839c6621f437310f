"""The lower door of SDKs that Stainless generates (OpenAI's, Anthropic's): raw responses.

`sdk` is the module of the SDK (`openai`, `anthropic`), given by the partner that imported it.
Source: `_base_client.py` of openai 3.52 and anthropic 2.14 (read 2026-11)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.errors import (
    ConfigurationError,
    HeadraceError,
    ModelConnectionError,
    ModelTimeoutError,
)
from headrace.transport.client_door import RawRequest, RefusedError, granted
from headrace.transport.failures import status_error
from headrace.transport.sdk import (
    Limits,
    SDKClient,
    cause,
    http_error,
    request_id_of,
    slow,
    timed_out,
)

if TYPE_CHECKING:
    from headrace.engine.worlds import World


async def opened(
    client: SDKClient,
    asked: RawRequest,
    limits: Limits,
    io: World,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The unread response to a request, made by the SDK or after one that it made.

    Typed by the SDK for `cast_to=httpx2.Response`. The path must be spelled as the SDK spells it:
    clients of clouds rewrite it.
    """
    import httpx2

    timeout, repeats = limits.timeout, client.repeats if asked.method == "POST" else None
    kind = (asked.path, *headers.items()) if headers else asked.path
    if repeats is not None:
        http = client.sdk._client
        request = repeats.request(kind, asked.body, timeout, http)
        if request is not None:
            return await granted(await io.settle(http.send(request, stream=True)), io)
    options: Any = {"timeout": timeout, "max_retries": 0}
    if headers:
        options["headers"] = headers
    given: Any = {} if asked.body is None else {"body": asked.body}
    ask = getattr(client.sdk, asked.method.lower())
    found = ask(asked.path, cast_to=httpx2.Response, stream=True, options=options, **given)
    response = await io.settle(found)
    if repeats is not None:
        repeats.learn(kind, response)
    return response


def environment_headers(variable: str) -> list[str]:
    """Names of the headers that the SDK takes from an environment variable, one a line."""
    lines = os.environ.get(variable, "").split("\n")
    return [name.strip() for line in lines for name, colon, _ in [line.partition(":")] if colon]


def sdk_error(exc: Exception, sdk: Any, host: str, *, begun: bool) -> Exception:
    """The error of ours for one of the SDK or its HTTP client; any other as it is."""
    match exc:
        case HeadraceError():
            return exc
        case sdk.APIStatusError():
            headers = exc.response.headers
            id = request_id_of(headers)
            return status_error(exc.status_code, exc.body, headers, request_id=id)
        case RefusedError(response=response):
            headers = response.headers
            id = request_id_of(headers)
            return status_error(response.status_code, exc.said, headers, request_id=id)
        case sdk.APITimeoutError() if timed_out(exc):
            return ModelTimeoutError(slow(exc, host))
        case sdk.APIConnectionError():
            return ModelConnectionError(f"no connection to `{host}`: {cause(exc)}")
    found = http_error(exc, host, begun=begun)
    if found is exc and type(exc).__module__.split(".")[0] == sdk.__name__:
        return ConfigurationError(f"the SDK `{sdk.__name__}` refused the request: {exc}")
    return found
