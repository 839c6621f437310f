"""What partners share between their codecs and their SDKs: raw responses, errors, keys, names."""

from headrace.transport.door import (
    Door,
    Gate,
    RawModel,
    bytes_of,
    close_response,
    redact,
)
from headrace.transport.failures import error_in, retry_after, status_error
from headrace.transport.names import names_of, read_chunk_names, read_names
from headrace.transport.patience import Patience, patient
from headrace.transport.raw import Exchange, RawChatModel
from headrace.transport.reading import EventDecoder, StreamReader, is_event_stream, whole_of_stream
from headrace.transport.sdk import (
    Limits,
    SDKClient,
    awaitable_key,
    cause,
    checked_key,
    http_error,
    request_id_of,
    slow,
    ssl_context,
)
from headrace.transport.stainless import environment_headers, get, post, post_whole, sdk_error
from headrace.transport.urls import check_key_owner, clean_url, host_of

__all__ = [
    "Door",
    "EventDecoder",
    "Exchange",
    "Gate",
    "Limits",
    "Patience",
    "RawChatModel",
    "RawModel",
    "SDKClient",
    "StreamReader",
    "awaitable_key",
    "bytes_of",
    "cause",
    "check_key_owner",
    "checked_key",
    "clean_url",
    "close_response",
    "environment_headers",
    "error_in",
    "get",
    "host_of",
    "http_error",
    "is_event_stream",
    "names_of",
    "patient",
    "post",
    "post_whole",
    "read_chunk_names",
    "read_names",
    "redact",
    "request_id_of",
    "retry_after",
    "sdk_error",
    "slow",
    "ssl_context",
    "status_error",
    "whole_of_stream",
]
