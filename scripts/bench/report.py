"""Measured rows as lines of a table and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from platform import machine
from statistics import median
from typing import Any

from bench.rows import ROWS, Row

# The contenders and what they stand on: all of them share one environment, so one SDK.
PACKAGES = (
    "headrace openai anthropic httpx2 aiohttp langchain-core langchain-openai langchain-anthropic"
    " pydantic-ai-slim litellm pydantic"
)
SHOWN = {
    "sdk": "SDK",
    "floor": "plain HTTP",
    "langchain": "LangChain",
    "pydantic-ai": "pydantic-ai",
    "litellm": "LiteLLM",
    "headrace": "headrace",
}


@dataclass
class Result:
    """A row's figures by contender, one a round, in the row's unit; or why there are none."""

    row: Row
    figures: dict[str, list[float]]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Whom the others are compared with."""
        return self.row.base

    def middle(self, who: str) -> float | None:
        found = self.figures.get(who)
        return median(found) if found else None

    def ratio(self, who: str) -> float | None:
        """How many times the first contender's cost one has."""
        own, base = self.middle(who), self.middle(self.base)
        return own / base if own is not None and base else None

    def spread(self, who: str) -> float | None:
        """How far the rounds lie apart, in parts of their median."""
        found, middle = self.figures.get(who), self.middle(who)
        return (max(found) - min(found)) / middle if found and middle else None

    @property
    def verdict(self) -> str:
        """`met` or `missed`; empty where the figure or the target is missing."""
        got = self.middle("headrace") if self.row.absolute else self.ratio("headrace")
        if got is None or self.row.target is None:
            return ""
        return "met" if got <= self.row.target else "missed"


def versions() -> str:
    found = [f"Python {sys.version.split()[0]} on {sys.platform} {machine()}"]
    for name in PACKAGES.split():
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


HEAD = ("work", "unit", *SHOWN.values(), "target", "", "spread")
WIDTHS = (max(len(row.title) for row in ROWS), 4, *(12 for _ in SHOWN), 9, 6, 6)


def head() -> str:
    """The table's head, in Markdown, which a terminal shows well."""
    return f"{_line(HEAD)}\n{_line(['-' * width for width in WIDTHS])}"


def line(result: Result) -> str:
    """Medians, with the ratio to the first contender; target, verdict and headrace's spread."""
    return _line(cells(result))


def _line(texts: Iterable[str]) -> str:
    return "| " + " | ".join(map(str.ljust, texts, WIDTHS)) + " |"


def cells(result: Result) -> list[str]:
    row = result.row
    target = "" if row.target is None else ratio_text(row.target)
    if row.absolute and row.target is not None:
        target = f"{number(row.target)} {row.unit}".strip()
    spread = result.spread("headrace")
    figures = [_figure(result, who) for who in SHOWN]
    return [
        row.title,
        row.unit,
        *figures,
        target,
        result.verdict,
        "" if spread is None else f"{spread:.0%}",
    ]


def _figure(result: Result, who: str) -> str:
    middle, ratio = result.middle(who), result.ratio(who)
    if middle is None:
        return "failed" if who in result.failed else ""
    if ratio is None or who == result.base:
        return number(middle)
    return f"{number(middle)} ({ratio_text(ratio)})"


def number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"


def ratio_text(value: float) -> str:
    """A ratio as it is read best: 1.33, 0.15, 1/50."""
    return f"{value:.2f}" if value > 0.05 or value <= 0 else f"1/{1 / value:.0f}"


def failures(results: Iterable[Result]) -> list[str]:
    """Who failed at what, and why; what fails alike is said once."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for who, why in result.failed.items():
            found.setdefault((who, why), []).append(result.row.id)
    return [f"{who} failed at {', '.join(rows)}: {why}" for (who, why), rows in found.items()]


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    rows = {
        r.row.id: {
            "title": r.row.title,
            "unit": r.row.unit,
            "base": r.base,
            "calls_per_round": r.row.times,
            "rounds": r.figures,
            "medians": {who: r.middle(who) for who in r.figures},
            "spreads": {who: r.spread(who) for who in r.figures},
            "ratios": {who: r.ratio(who) for who in r.figures},
            "failed": r.failed,
            "target": r.row.target,
            "target_is_absolute": r.row.absolute,
            "verdict": r.verdict,
        }
        for r in results
    }
    return {"versions": versions(), "rows": rows}
