"""`headrace models`: the models we know, by provider, with what decides between them."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from headrace.cards import Card, EmbeddingModelCard, ModelCard, list_models
from headrace.cli.ending import UsageError, asked_rightly
from headrace.cli.given import value_of
from headrace.cli.output import as_json, put
from headrace.cli.table import room, table
from headrace.profiles import FIELDS
from headrace.registry import canonical, find_provider, installed_providers

# Abilities as a table names them, by the fact that says them.
_ABILITIES = {
    "image_inputs": "images",
    "pdf_inputs": "pdf",
    "audio_inputs": "audio",
    "video_inputs": "video",
    "tool_calling": "tools",
    "structured_output": "schema",
    "reasoning_output": "reasoning",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    add = parser.add_argument
    add("provider", nargs="?", metavar="PROVIDER", help="default: all that are installed")
    add(
        "--filter", dest="filters", action="append", default=[], type=_filter,
        metavar="FIELD=VALUE", help="a field of a card (name='*-mini', input_types=image/png; "
        "context_size=200000: at least) or a fact of a profile (tool_calling=true); repeatable",
    )  # fmt: skip
    add(
        "--type", choices=("chat_model", "embedding_model"), default="chat_model",
        help="which kind of models (chat_model)",
    )  # fmt: skip
    add("--cards", action="append", default=[], metavar="DIR", help="a folder of cards of yours")
    add("--live", action="store_true", help="those that the provider says it serves; needs a key")
    add("--json", action="store_true", help="JSON on stdout: a list of cards")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    if chosen.live and chosen.provider is None:
        raise UsageError("`--live` asks one provider; say which")
    with asked_rightly():
        cards = _cards(chosen)
    if chosen.json:
        put(as_json([{**card.model_dump(), "abilities": _able(card)} for card in cards]) + "\n")
    elif cards:
        put(_table(cards) + "\n")
    else:
        print("headrace: no such model is known", file=sys.stderr)
    return 0


def _cards(chosen: argparse.Namespace) -> list[Card]:
    if chosen.provider is not None:
        names = [find_provider(chosen.provider).name]
    else:
        found = {name: find_provider(name) for name in installed_providers()}
        names = [
            name
            for name, provider in found.items()
            if chosen.type != "chat_model" or provider.find_model_class()
        ]
    options = {"type": chosen.type, "live": chosen.live, "folders": chosen.cards}
    options |= dict(chosen.filters)
    return [card for name in names for card in list_models(canonical(name), **options)]


def _filter(text: str) -> tuple[str, Any]:
    """`field=value` as (field, value of the field's kind); `field` alone is true."""
    name, equals, value = text.partition("=")
    kind = FIELDS[name].kind if name in FIELDS else "text"
    if name in ("live", "folders", "credential", "provider", "type"):
        raise argparse.ArgumentTypeError(f"models are not listed by {name!r}")
    if kind == "count" or name in ("context_size", "output_size", "dimensions"):
        if not value.replace("_", "").isdecimal():
            raise argparse.ArgumentTypeError(f"{name!r} is compared with a number, not {value!r}")
        return name, int(value)
    if kind == "bool":
        if (value or "true") not in ("true", "false") or (equals and not value):
            raise argparse.ArgumentTypeError(f"{name!r} is true or false, not {value!r}")
        return name, value != "false"
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not field=value")
    return name, value if kind in ("text", "date") else value_of(value)


def _table(cards: list[Card]) -> str:
    if isinstance(cards[0], EmbeddingModelCard):
        heads = ["MODEL", "TOKENS", "DIMENSIONS", "IN $/M", ""]
    else:
        heads = ["MODEL", "CONTEXT", "OUTPUT", "IN $/M", "OUT $/M", "ABILITIES"]
    rows = [_row(card) for card in cards]
    return table(heads, rows, width=room(), right=[head for head in heads[1:5] if head])


def _row(card: Card) -> list[str]:
    row = [f"{card.provider}:{card.name}", _size(card.context_size)]
    if isinstance(card, EmbeddingModelCard):
        return [*row, str(card.dimensions or "?"), _price(card, "input"), _standing(card)]
    row.append(_size(card.output_size) if isinstance(card, ModelCard) else "?")
    return [*row, _price(card, "input"), _price(card, "output"), _abilities(card)]


def _size(tokens: int | None) -> str:
    if tokens is None:
        return "?"
    if tokens < 1_000_000:
        return f"{tokens / 1000:.3g}k"
    return f"{tokens / 1_000_000:.3g}M"


def _price(card: Card, kind: str) -> str:
    price = (card.prices or {}).get(kind)
    return "?" if price is None else f"{price:g}"


def _able(card: Card) -> list[str]:
    return [word for fact, word in _ABILITIES.items() if card.profile.get(fact)]


def _abilities(card: Card) -> str:
    return " ".join([*_able(card), _standing(card)]).rstrip()


def _standing(card: Card) -> str:
    if card.status == "active":
        return ""
    until = f" {card.deprecated_at}" if card.deprecated_at else ""
    return f"({card.status}{until}{f': {card.successor}' if card.successor else ''})"
