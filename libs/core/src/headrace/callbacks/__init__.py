"""Callbacks: handlers with a method for each event, custom events, and the sum of usage."""

from headrace.callbacks.custom import adispatch_custom_event, dispatch_custom_event
from headrace.callbacks.handlers import AsyncCallbackHandler, BaseCallbackHandler
from headrace.callbacks.usage import UsageMetadataCallbackHandler, get_usage_metadata_callback

__all__ = [
    "AsyncCallbackHandler",
    "BaseCallbackHandler",
    "UsageMetadataCallbackHandler",
    "adispatch_custom_event",
    "dispatch_custom_event",
    "get_usage_metadata_callback",
]
