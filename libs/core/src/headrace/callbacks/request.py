"""What listeners are told of a request to a model, beside its input and its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request, in `payload["request"]` of each event of it.

    `messages` are as they are sent, adapted to the model. `params`: what is set, by neutral name.
    `tools`: definitions by name, description and parameters, or dicts of a provider's own.
    `format`: "json" where an object is asked for. `streamed`: asked for by `stream` or `astream`.
    """

    provider: str
    model: str
    messages: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: Any = None
    stop: tuple[str, ...] = ()
    format: str | None = None
    streamed: bool = False
    base_url: str | None = None
    begun: float = field(default_factory=time.perf_counter, compare=False)

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.begun

    @property
    def tool_names(self) -> list[str]:
        return [str(tool.get("name") or tool.get("type")) for tool in self.tools]
