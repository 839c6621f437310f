"""The measured ratios as an SVG, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import log

from bench.report import SHOWN, Result, ratio_text

# Colours that differ in lightness too, for readers who do not tell red from green.
COLOURS = {
    "headrace": ("#0b7285", "#4cc9dd"),
    "floor": ("#868e96", "#868e96"),
    "langchain": ("#e8590c", "#ff922b"),
    "pydantic-ai": ("#ae3ec9", "#da77f2"),
    "litellm": ("#2f9e44", "#69db7c"),
}
SECTIONS = {"sdk": "against the SDK by hand", "langchain": "against LangChain"}
LEFT, WIDTH, RIGHT, STEP, TOP = 290, 520, 90, 24, 66
TITLE = "CPU time of the client, in ratios: less is better"
ROUND = (1 / 500, 1 / 200, 1 / 100, 1 / 50, 1 / 20, 1 / 10, 1 / 5, 1 / 2, 1, 2, 5, 10, 20, 50, 100)

STYLE = (
    ".page{fill:#fff}text{fill:#212529;stroke:none}.title{font-size:16px;font-weight:600}"
    ".head{font-weight:600}.mark{fill:#6c757d;font-size:11px;text-anchor:middle}"
    ".ratio{font-weight:600}.missed{fill:#c92a2a}.grid{stroke:#e9ecef}.one{stroke:#868e96}"
    ".lead{stroke-width:2;opacity:.45}.target{stroke:#212529;stroke-width:2}"
)
DARK = (
    ".page{fill:#0d1117}text{fill:#e6edf3}.mark{fill:#9198a1}.missed{fill:#ff8787}"
    ".grid{stroke:#21262d}.one{stroke:#6e7681}.target{stroke:#e6edf3}"
)


def chart(results: Sequence[Result]) -> str:
    """A line for each ratio, on a logarithmic scale: half is as far from 1 as double."""
    parts, y = [], TOP
    for base, heading in SECTIONS.items():
        shown = [r for r in results if r.base == base and r.row.is_time and r.ratio("headrace")]
        if shown:
            parts.append(_section(shown, heading, y))
            y += 56 + STEP * len(shown)
    return _frame("\n".join(parts), y)


def _section(results: Sequence[Result], heading: str, y: int) -> str:
    ratios = [ratio for r in results for who in COLOURS if (ratio := r.ratio(who))]
    low = max((mark for mark in ROUND if mark <= min(*ratios, 1)), default=min(ratios))
    high = min((mark for mark in ROUND if mark >= max(*ratios, 1)), default=max(ratios))

    def at(ratio: float) -> float:
        return LEFT + WIDTH * log(ratio / low) / log(high / low)

    bottom = y + 28 + STEP * len(results)
    parts = [f'<text x="16" y="{y + 8}" class="head">{heading}</text>']
    for mark in ROUND:
        if low <= mark <= high:
            x, kind = at(mark), "one" if mark == 1 else "grid"
            label = f"1/{1 / mark:.0f}" if mark < 1 else f"{mark:.0f}"
            parts.append(
                f'<line x1="{x:.1f}" y1="{y + 16}" x2="{x:.1f}" y2="{bottom}" class="{kind}"/>'
            )
            parts.append(f'<text x="{x:.1f}" y="{y + 10}" class="mark">{label}</text>')
    for i, result in enumerate(results):
        parts.append(_line(result, y + 32 + STEP * i, at))
    return "\n".join(parts)


def _line(result: Result, y: int, at: Callable[[float], float]) -> str:
    """A row: its title, a dot for each contender, the target as a bar, headrace's ratio."""
    own = result.ratio("headrace")
    assert own is not None
    parts = [f'<text x="16" y="{y + 4}">{escape(result.row.title)}</text>']
    parts.append(
        f'<line x1="{at(own):.1f}" y1="{y}" x2="{at(1):.1f}" y2="{y}" class="headrace lead"/>'
    )
    for who in reversed(COLOURS):  # headrace last, on top
        ratio = result.ratio(who)
        if ratio is not None:
            size = 6 if who == "headrace" else 4.5
            said = escape(f"{SHOWN[who]}: {ratio_text(ratio)}")
            parts.append(
                f'<circle cx="{at(ratio):.1f}" cy="{y}" r="{size}" class="{_class(who)}">'
                f"<title>{said}</title></circle>"
            )
    target = result.row.target
    if target is not None and not result.row.absolute:
        x = at(target)
        parts.append(f'<line x1="{x:.1f}" y1="{y - 9}" x2="{x:.1f}" y2="{y + 9}" class="target"/>')
    kind = {"met": "met", "missed": "missed"}.get(result.verdict, "")
    parts.append(
        f'<text x="{LEFT + WIDTH + 24}" y="{y + 4}" class="ratio {kind}">{ratio_text(own)}</text>'
    )
    return "\n".join(parts)


def _class(who: str) -> str:
    return who.replace("-", "")


def _frame(content: str, height: int) -> str:
    """The page: colours by the reader's scheme, a title, what the marks mean."""
    width = LEFT + WIDTH + RIGHT
    light, dark = (
        "".join(f".{_class(w)}{{fill:{c[i]};stroke:{c[i]}}}" for w, c in COLOURS.items())
        for i in (0, 1)
    )
    legend, x = [], 16
    for who in COLOURS:
        legend.append(f'<circle cx="{x + 5}" cy="44" r="5" class="{_class(who)}"/>')
        legend.append(f'<text x="{x + 16}" y="48">{SHOWN[who]}</text>')
        x += 36 + 8 * len(SHOWN[who])
    legend.append(f'<line x1="{x}" y1="35" x2="{x}" y2="53" class="target"/>')
    legend.append(f'<text x="{x + 8}" y="48">target of headrace</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="system-ui, sans-serif" font-size="13">\n'
        f"<style>{STYLE}{light}@media (prefers-color-scheme: dark){{{DARK}{dark}}}</style>\n"
        f'<rect width="{width}" height="{height}" rx="6" class="page"/>\n'
        f'<text x="16" y="24" class="title">{TITLE}</text>\n'
        + "\n".join(legend)
        + f"\n{content}\n</svg>\n"
    )
