"""headrace: composable, runnable pipelines over language models.

Names are imported on first use, so that `import headrace` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.caches import InMemoryCache as InMemoryCache
    from headrace.caches import SQLiteCache as SQLiteCache
    from headrace.caches import set_default_cache as set_default_cache
    from headrace.callbacks import (
        EVENT_LOGGER_NAME as EVENT_LOGGER_NAME,
    )
    from headrace.callbacks import (
        AsyncCallbackHandler as AsyncCallbackHandler,
    )
    from headrace.callbacks import (
        BaseCallbackHandler as BaseCallbackHandler,
    )
    from headrace.callbacks import (
        cost_tracker as cost_tracker,
    )
    from headrace.callbacks import (
        get_usage_metadata_callback as get_usage_metadata_callback,
    )
    from headrace.cards import ModelCard as ModelCard
    from headrace.cards import catalog as catalog
    from headrace.cards import list_models as list_models
    from headrace.chat_models import BaseChatModel as BaseChatModel
    from headrace.chat_models import Timeout as Timeout
    from headrace.chat_models import from_callable as from_callable
    from headrace.chat_models.looping import tool_loop as tool_loop
    from headrace.embeddings import Embeddings as Embeddings
    from headrace.engine.run import RunnableConfig as RunnableConfig
    from headrace.errors import HeadraceError as HeadraceError
    from headrace.init import init_chat_model as init_chat_model
    from headrace.init import init_embeddings as init_embeddings
    from headrace.messages import (
        AIMessage as AIMessage,
    )
    from headrace.messages import (
        AIMessageChunk as AIMessageChunk,
    )
    from headrace.messages import (
        DeveloperMessage as DeveloperMessage,
    )
    from headrace.messages import (
        HumanMessage as HumanMessage,
    )
    from headrace.messages import (
        SystemMessage as SystemMessage,
    )
    from headrace.messages import (
        ToolMessage as ToolMessage,
    )
    from headrace.messages import (
        audio as audio,
    )
    from headrace.messages import (
        file as file,
    )
    from headrace.messages import (
        image as image,
    )
    from headrace.messages import (
        trim_messages as trim_messages,
    )
    from headrace.messages import (
        video as video,
    )
    from headrace.output_parsers import (
        JsonOutputParser as JsonOutputParser,
    )
    from headrace.output_parsers import (
        PydanticOutputParser as PydanticOutputParser,
    )
    from headrace.output_parsers import (
        StrOutputParser as StrOutputParser,
    )
    from headrace.prompts import ChatPromptTemplate as ChatPromptTemplate
    from headrace.prompts import MessagesPlaceholder as MessagesPlaceholder
    from headrace.prompts import PromptTemplate as PromptTemplate
    from headrace.rate_limiters import InMemoryRateLimiter as InMemoryRateLimiter
    from headrace.rate_limiters import RateLimiter as RateLimiter
    from headrace.rate_limiters import usage_limit as usage_limit
    from headrace.registry import Provider as Provider
    from headrace.runnables import (
        Runnable as Runnable,
    )
    from headrace.runnables import (
        RunnableLambda as RunnableLambda,
    )
    from headrace.runnables import (
        RunnableParallel as RunnableParallel,
    )
    from headrace.runnables import (
        RunnablePassthrough as RunnablePassthrough,
    )
    from headrace.runnables import (
        chain as chain,
    )
    from headrace.tools import Tool as Tool
    from headrace.tools import tool as tool

_HOMES = {
    "caches": ("InMemoryCache", "SQLiteCache", "set_default_cache"),
    "callbacks": (
        "AsyncCallbackHandler", "BaseCallbackHandler", "EVENT_LOGGER_NAME",
        "cost_tracker", "get_usage_metadata_callback",
    ),
    "cards": ("ModelCard", "catalog", "list_models"),
    "chat_models": ("BaseChatModel", "Timeout", "from_callable"),
    "chat_models.looping": ("tool_loop",),
    "embeddings": ("Embeddings",),
    "engine.run": ("RunnableConfig",),
    "errors": ("HeadraceError",),
    "init": ("init_chat_model", "init_embeddings"),
    "messages": (
        "AIMessage", "AIMessageChunk", "DeveloperMessage", "HumanMessage", "SystemMessage",
        "ToolMessage", "audio", "file", "image", "trim_messages", "video",
    ),
    "output_parsers": ("JsonOutputParser", "PydanticOutputParser", "StrOutputParser"),
    "prompts": ("ChatPromptTemplate", "MessagesPlaceholder", "PromptTemplate"),
    "rate_limiters": ("InMemoryRateLimiter", "RateLimiter", "usage_limit"),
    "registry": ("Provider",),
    "runnables": (
        "Runnable", "RunnableLambda", "RunnableParallel", "RunnablePassthrough", "chain",
    ),
    "tools": ("Tool", "tool"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605 - the names above, tested against the type stubs
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'headrace' has no attribute {name!r}")
    value = getattr(import_module(f"headrace.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
