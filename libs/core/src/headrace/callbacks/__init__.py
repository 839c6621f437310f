"""Callbacks: handlers with a method for each event, custom events, the event log, and usage."""

from headrace.callbacks.costs import CostTracker, Spend, cost_tracker
from headrace.callbacks.custom import adispatch_custom_event, dispatch_custom_event
from headrace.callbacks.event_log import EVENT_LOGGER_NAME, configure_event_log
from headrace.callbacks.handlers import AsyncCallbackHandler, BaseCallbackHandler
from headrace.callbacks.request import ModelRequest
from headrace.callbacks.usage import UsageMetadataCallbackHandler, get_usage_metadata_callback

__all__ = [
    "EVENT_LOGGER_NAME",
    "AsyncCallbackHandler",
    "BaseCallbackHandler",
    "CostTracker",
    "ModelRequest",
    "Spend",
    "UsageMetadataCallbackHandler",
    "adispatch_custom_event",
    "configure_event_log",
    "cost_tracker",
    "dispatch_custom_event",
    "get_usage_metadata_callback",
]
