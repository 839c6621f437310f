"""Measured rows as a table, as JSON, and as a chart."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.metadata import PackageNotFoundError, version
from platform import machine
from statistics import median
from typing import Any

from bench.rows import MISSING, Row

PACKAGES = (
    "headrace openai anthropic httpx2 langchain-core langchain-openai langchain-anthropic pydantic"
)
SHOWN = ("sdk", "floor", "langchain", "headrace")
COLOURS = {"headrace": "#1f7a8c", "langchain": "#c8553d"}


@dataclass
class Result:
    """A row's figures by contender, one a round, in the row's unit; or why there are none."""

    row: Row
    figures: dict[str, list[float]]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Whom the others are compared with."""
        return self.row.contenders[0]

    def middle(self, who: str) -> float | None:
        found = self.figures.get(who)
        return median(found) if found else None

    def ratio(self, who: str) -> float | None:
        """How many times the first contender's cost one has."""
        own, base = self.middle(who), self.middle(self.base)
        return own / base if own is not None and base else None

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


HEAD = ("work", "unit", *SHOWN, "LangChain x", "headrace x", "target", "", "spread")


def cells(result: Result) -> list[str]:
    """One line of the table: medians, ratios to the first contender, target, verdict, spread."""
    row = result.row
    medians = [_number(result.middle(who)) for who in SHOWN]
    ratios = [_number(result.ratio(who)) for who in ("langchain", "headrace")]
    target = "" if row.target is None else f"{row.target:.3g}"
    if row.absolute and target:
        target = f"{target} {row.unit}".strip()
    return [row.title, row.unit, *medians, *ratios, target, result.verdict, _spread(result)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"


def _spread(result: Result) -> str:
    """How far headrace's rounds lie apart, of their median."""
    found = result.figures.get("headrace")
    middle = result.middle("headrace")
    if not found or not middle:
        return ""
    return f"{(max(found) - min(found)) / middle:.0%}"


def table(results: Sequence[Result]) -> str:
    """The table as Markdown, aligned so that a terminal shows it well."""
    lines = [list(HEAD), *map(cells, results)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(map(str.ljust, line, widths)) + " |"
        for line in (lines[0], rule, *lines[1:])
    )


def notes(results: Iterable[Result]) -> list[str]:
    """What was not measured, and why."""
    failed = [f"{r.row.id}: {who}: {why}" for r in results for who, why in r.failed.items()]
    return [*failed, *(f"missing: {what}" for what in MISSING)]


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    rows = {
        r.row.id: {
            "title": r.row.title,
            "unit": r.row.unit,
            "base": r.base,
            "rounds": r.figures,
            "ratios": {who: r.ratio(who) for who in r.figures},
            "target": r.row.target,
            "verdict": r.verdict,
        }
        for r in results
    }
    return {"versions": versions(), "rows": rows}


def chart(results: Iterable[Result]) -> str:
    """An SVG of the ratios of rows that are compared with an SDK by hand."""
    shown = [r for r in results if r.base == "sdk" and r.ratio("headrace")]
    left, scale, step = 300, 200, 40
    parts = []
    for i, result in enumerate(shown):
        y = 40 + i * step
        parts.append(f'<text x="10" y="{y + 18}">{escape(result.row.title)}</text>')
        for j, (who, colour) in enumerate(COLOURS.items()):
            ratio, at = result.ratio(who), y + j * 14
            if ratio is None:
                continue
            width = ratio * scale
            parts.append(
                f'<rect x="{left}" y="{at}" width="{width:.0f}" height="12" fill="{colour}"/>'
                f'<text x="{left + width + 6:.0f}" y="{at + 11}">{ratio:.2f}</text>'
            )
    height = 50 + len(shown) * step
    title = "CPU time against the SDK by hand (1.00): headrace in blue, LangChain in red"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}"'
        ' font-family="sans-serif" font-size="13" fill="#333">\n'
        f'<rect width="860" height="{height}" fill="white"/>\n'
        f'<text x="10" y="22" font-weight="bold">{title}</text>\n'
        + "\n".join(parts)
        + f'\n<line x1="{left + scale}" y1="32" x2="{left + scale}" y2="{height - 8}"'
        ' stroke="#333" stroke-dasharray="4"/>\n</svg>\n'
    )
