"""Models without a provider, for tests and first steps, and what holds partners to account."""

from headrace.chat_models.clients import forbid_requests
from headrace.chat_models.function import FunctionChatModel
from headrace.testing.offline import OfflineChatModel
from headrace.testing.scripted import ScriptedChatModel
from headrace.testing.vectors import OfflineEmbeddings

__all__ = [
    "FunctionChatModel",
    "OfflineChatModel",
    "OfflineEmbeddings",
    "ScriptedChatModel",
    "forbid_requests",
]
