"""Tables for people: aligned, without colour, and readable in a narrow terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from headrace.cli.output import is_terminal

_GAP = 2
_LEAST = 14  # characters that a column of words needs to be read


def room() -> int | None:
    """Columns of the terminal; None where no person reads, so that a row stays one line."""
    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    right: Sequence[str] = (),
) -> str:
    """The rows under their heads; `right` names the columns of figures.

    Within `width` the widest columns of words wrap, never the first; where that is not enough
    to read them, there is one cell a line.
    """
    sizes = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    words = [at for at, head in enumerate(heads) if at and head not in right]
    while rows and width is not None and sum(sizes) + _GAP * (len(sizes) - 1) > width:
        widest = max(words, key=sizes.__getitem__, default=0)
        if sizes[widest] <= _LEAST or not widest:
            return _records(heads, rows, width)
        sizes[widest] -= 1
    sides = [head in right for head in heads]
    return "\n".join(line for row in (heads, *rows) for line in _lines(row, sizes, sides))


def _lines(row: Sequence[str], sizes: Sequence[int], sides: Sequence[bool]) -> Iterator[str]:
    for parts in zip_longest(*map(_wrapped, row, sizes), fillvalue=""):
        cells = (
            part.rjust(size) if right else part.ljust(size)
            for part, size, right in zip(parts, sizes, sides, strict=True)
        )
        yield (" " * _GAP).join(cells).rstrip()


def _records(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Each row as a block: its first cell, then the others by name."""
    blocks = []
    size = max(map(len, heads[1:]), default=0)
    for row in rows:
        lines = _wrapped(row[0], width)
        for head, cell in zip(heads[1:], row[1:], strict=True):
            if cell:
                indent = " " * (_GAP + size + _GAP)
                first, *more = _wrapped(cell, max(width - len(indent), _LEAST))
                lines.append(f"{' ' * _GAP}{head:<{size + _GAP}}{first}")
                lines += [indent + line for line in more]
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 1), break_on_hyphens=False) or [""]
