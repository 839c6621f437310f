"""Cards: one model each, as a person choosing one sees it, with the form of its parameters."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, PrivateAttr, field_validator

from headrace.cards.forms import parameter_schema
from headrace.chat_models import Specification
from headrace.errors import ConfigurationError
from headrace.profiles import ModelProfile, ProfileError
from headrace.profiles.fields import checked

Status = Literal["active", "deprecated", "sunset"]
Kind = Literal["chat_model", "embedding_model"]
ModelClass = type[Specification]

THINKING = "application/x-thinking"
VECTOR = "application/x-embedding"
MIME = {  # modality of a profile -> what a card says for it
    "text": "text/plain",
    "image": "image/*",
    "pdf": "application/pdf",
    "audio": "audio/*",
    "video": "video/*",
}


class CardError(ConfigurationError):
    """A card that cannot be read; the message names the file and the field."""


class Card(BaseModel):
    """Name, standing, abilities, sizes in tokens, prices in USD per million tokens, and form.

    `status`: `deprecated` still works, `sunset` no longer does; `deprecated_at` is the day
    between the two. None means unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Kind
    provider: str
    name: str = Field(min_length=1)
    label: str = Field(min_length=1)
    family: str | None = None
    status: Status = "active"
    deprecated_at: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}(-\d{2})?$")
    successor: str | None = None
    input_types: tuple[str, ...] = ()
    output_types: tuple[str, ...] = ()
    context_size: PositiveInt | None = None
    prices: Mapping[str, Any] | None = None
    parameter_overrides: Mapping[str, Mapping[str, Any] | None] = {}

    _profile: ModelProfile = PrivateAttr()
    _model_class: ModelClass = PrivateAttr()

    @field_validator("deprecated_at", mode="before")
    @classmethod
    def _read_date(cls, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime.date) else value

    @field_validator("prices", mode="before")
    @classmethod
    def _read_prices(cls, value: Any) -> Any:
        if value is None:
            return None
        try:
            return checked("cost", value, "the card")
        except ProfileError:
            raise ValueError("prices are {input, output, …} in USD per million tokens") from None

    @field_validator("input_types", "output_types")
    @classmethod
    def _read_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [one for one in value if one.count("/") != 1]:
            raise ValueError(f"{wrong[0]!r} is no MIME type such as text/plain or image/*")
        return value

    @property
    def profile(self) -> ModelProfile:
        """All that is known of the model, the card's own words over it; fits `profile=`."""
        return self._profile

    @cached_property
    def parameter_schema(self) -> dict[str, Any]:
        """The JSON Schema of the parameters that this model takes: a form."""
        return parameter_schema(self._model_class, self._profile, self.parameter_overrides)

    def __hash__(self) -> int:
        return hash((self.provider, self.name))


class ModelCard(Card):
    """The card of a chat model; `context_size` holds input and output."""

    type: Literal["chat_model"] = "chat_model"
    output_size: PositiveInt | None = None


class EmbeddingModelCard(Card):
    """The card of an embedding model; `context_size`: of one text. `dimensions`: if none are asked.

    The lengths that may be asked for stand in its form.
    """

    type: Literal["embedding_model"] = "embedding_model"
    output_types: tuple[str, ...] = (VECTOR,)
    dimensions: PositiveInt | None = None


CARDS: Mapping[str, type[Card]] = {
    "chat_model": ModelCard,
    "embedding_model": EmbeddingModelCard,
}


def card_of(
    cls: ModelClass,
    profile: ModelProfile,
    said: Mapping[str, Any] | None = None,
    today: datetime.date | None = None,
) -> Card:
    """The card of a model, from its profile; `said`: fields that a user's card gives itself."""
    given = dict(said or {})
    name = str(given.pop("name", profile.model))
    facts: dict[str, Any] = {
        "label": profile.get("name", name),
        "family": profile.get("family"),
        "status": _status(profile, today or datetime.date.today()),
        "deprecated_at": profile.get("deprecation_date"),
        "successor": profile.get("successor"),
        "input_types": _types(profile, "inputs"),
        "prices": profile.get("cost"),
    }
    most = profile.get("max_input_tokens")
    if cls.kind == "embedding_model":
        facts["context_size"] = most or profile.get("context_size")
        facts["dimensions"] = profile.get("embedding_dimensions")
    else:
        facts["output_types"] = _types(profile, "outputs")
        facts["context_size"] = profile.get("context_size") or most
        facts["output_size"] = profile.get("max_output_tokens")
    card = CARDS[cls.kind](**{**facts, **given, "provider": profile.provider, "name": name})
    card._profile, card._model_class = profile, cls
    return card


def facts_said(card: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields of a user's card mean as facts of a profile."""
    same = {"label": "name", "family": "family", "successor": "successor", "prices": "cost",
            "deprecated_at": "deprecation_date", "context_size": "context_size",
            "output_size": "max_output_tokens", "dimensions": "embedding_dimensions"}  # fmt: skip
    facts = {field: card[key] for key, field in same.items() if card.get(key) is not None}
    for key, ending in (("input_types", "inputs"), ("output_types", "outputs")):
        if key in card and VECTOR not in card[key]:
            kinds = {str(one).partition("/")[0] for one in card[key]} | set(card[key])
            for modality, mime in MIME.items():
                whole = mime if modality == "pdf" else mime.partition("/")[0]
                facts[f"{modality}_{ending}"] = whole in kinds
    if "output_types" in card and VECTOR not in card["output_types"]:
        facts["reasoning_output"] = THINKING in card["output_types"]
    if card.get("status") in ("deprecated", "sunset"):
        facts["status"] = "deprecated"
    rejected = [name for name, over in card.get("parameter_overrides", {}).items() if over is None]
    if rejected:
        facts["parameters"] = dict.fromkeys(rejected, False)
    return facts


def _status(profile: Mapping[str, Any], today: datetime.date) -> Status:
    gone = profile.get("deprecation_date")
    if gone is not None:
        return "sunset" if gone <= today.isoformat() else "deprecated"
    return "deprecated" if profile.get("status") == "deprecated" else "active"


def _types(profile: Mapping[str, Any], ending: str) -> tuple[str, ...]:
    found = [mime for modality, mime in MIME.items() if profile.get(f"{modality}_{ending}")]
    if ending == "outputs" and profile.get("reasoning_output"):
        found.append(THINKING)
    return tuple(found)
