"""Models as cards: what there is to choose from, and the forms of their parameters."""

from __future__ import annotations

from headrace.cards.card import Card, CardError, EmbeddingModelCard, Kind, ModelCard, Status
from headrace.cards.document import catalog
from headrace.cards.forms import class_schema, parameter_schema
from headrace.cards.listing import alist_models, list_models

__all__ = [
    "Card",
    "CardError",
    "EmbeddingModelCard",
    "Kind",
    "ModelCard",
    "Status",
    "alist_models",
    "catalog",
    "class_schema",
    "list_models",
    "parameter_schema",
]
