"""What one request for vectors asks for, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from headrace.chat_models import Notes
from headrace.messages import UsageMetadata

if TYPE_CHECKING:
    from headrace.chat_models import Watch

Purpose = Literal["document", "query"]
Vector = list[float]


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """All that a request is made of beside its texts.

    `params`: what is set, by field of the model; what is not set is absent. `purpose`: some
    models embed what is searched otherwise than what is searched for. `watch`, `notes`: as in
    the settings of a chat model.
    """

    params: Mapping[str, Any]
    watch: Watch = field(compare=False)
    purpose: Purpose = "document"
    notes: Notes = field(default_factory=Notes, compare=False)


@dataclass(frozen=True, slots=True)
class EmbeddingResult:
    """A vector for each text, in order; what they cost, and who made them.

    `response_metadata`: model_provider, model_name (as served), request_ids, adapted, duration_s,
    cost_usd; each where it is known.
    """

    vectors: list[Vector]
    usage_metadata: UsageMetadata | None = None
    response_metadata: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        size = len(self.vectors[0]) if self.vectors else 0
        return f"EmbeddingResult({len(self.vectors)} vectors of {size}, {self.usage_metadata})"
