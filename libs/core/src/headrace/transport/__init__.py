"""What partners share between their codecs and their SDKs: raw responses, errors, keys, names."""

from headrace.transport.call_ids import ANY_ID, LETTERS, CallIds, IdRule
from headrace.transport.client_door import ClientDoor, ClientSettings, LowerDoor, RawRequest
from headrace.transport.door import (
    Door,
    Gate,
    RawModel,
    bytes_of,
    close_response,
    redact,
)
from headrace.transport.failures import error_in, retry_after, status_error
from headrace.transport.foreign import foreign_error
from headrace.transport.keys import awaitable_key, checked_key, key_now
from headrace.transport.names import names_of, read_chunk_names, read_names
from headrace.transport.patience import Patience, patient
from headrace.transport.places import Place
from headrace.transport.raw import Exchange, RawChatModel
from headrace.transport.reading import (
    MALFORMED,
    EventDecoder,
    StreamReader,
    is_event_stream,
    malformed,
    whole_of_stream,
)
from headrace.transport.repeating import Repeats
from headrace.transport.roles import leave_name_out, role_of, unsendable
from headrace.transport.sdk import (
    Limits,
    SDKClient,
    cause,
    http_error,
    request_id_of,
    slow,
    ssl_context,
)
from headrace.transport.stainless import environment_headers, opened, sdk_error
from headrace.transport.urls import check_key_owner, clean_url, host_of

__all__ = [
    "ANY_ID",
    "LETTERS",
    "MALFORMED",
    "CallIds",
    "ClientDoor",
    "ClientSettings",
    "Door",
    "EventDecoder",
    "Exchange",
    "Gate",
    "IdRule",
    "Limits",
    "LowerDoor",
    "Patience",
    "Place",
    "RawChatModel",
    "RawModel",
    "RawRequest",
    "Repeats",
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
    "foreign_error",
    "get",
    "host_of",
    "http_error",
    "is_event_stream",
    "key_now",
    "leave_name_out",
    "malformed",
    "names_of",
    "opened",
    "patient",
    "read_chunk_names",
    "read_names",
    "redact",
    "request_id_of",
    "retry_after",
    "role_of",
    "sdk_error",
    "slow",
    "ssl_context",
    "status_error",
    "unsendable",
    "whole_of_stream",
]
