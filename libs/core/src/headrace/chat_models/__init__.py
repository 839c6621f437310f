"""Chat models: the base for partners, and what every model can do."""

from typing import TYPE_CHECKING, Any

from headrace.chat_models import configurable as _configurable  # noqa: F401 - fills the hooks
from headrace.chat_models import layers as _layers  # noqa: F401 - fills the hooks
from headrace.chat_models import persisting as _persisting  # noqa: F401 - fills the hooks
from headrace.chat_models import structured as _structured  # noqa: F401 - fills the hooks
from headrace.chat_models import tagged as _tagged  # noqa: F401 - fills the hooks
from headrace.chat_models.base import BaseChatModel
from headrace.chat_models.clients import CLIENTS, forbid_requests
from headrace.chat_models.matrix import parameter_matrix
from headrace.chat_models.model import Layer, Layered, Model, ModelInput
from headrace.chat_models.notes import ContentPolicy, Notes, Policy
from headrace.chat_models.preflight import Preflight
from headrace.chat_models.settings import Call, ResponseFormat, Settings
from headrace.chat_models.specification import Key, Patience, Specification
from headrace.chat_models.structured import StructuredAnswer
from headrace.chat_models.timeouts import Timeout, Watch
from headrace.chat_models.wires import Wire
from headrace.engine.hooks import provide_lazily, reach

if TYPE_CHECKING:
    from headrace.chat_models.function import FunctionChatModel, from_callable
    from headrace.init import init_chat_model  # upward: it stands here by name

__all__ = [
    "CLIENTS",
    "BaseChatModel",
    "Call",
    "ContentPolicy",
    "FunctionChatModel",
    "Key",
    "Layer",
    "Layered",
    "Model",
    "ModelInput",
    "Notes",
    "Patience",
    "Policy",
    "Preflight",
    "ResponseFormat",
    "Settings",
    "Specification",
    "StructuredAnswer",
    "Timeout",
    "Watch",
    "Wire",
    "forbid_requests",
    "from_callable",
    "init_chat_model",
    "parameter_matrix",
]

_LATER = {
    "FunctionChatModel": "headrace.chat_models.function",
    "from_callable": "headrace.chat_models.function",
    "init_chat_model": "headrace.init",
}
for _name, _module in _LATER.items():
    provide_lazily(_name, _module)


def __getattr__(name: str) -> Any:
    """What stands above this package, or few need, is imported when it is first asked for."""
    if name in _LATER:
        return reach(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
