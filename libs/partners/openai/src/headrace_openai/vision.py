"""How many tokens a picture takes, by the rules that OpenAI documents.

Tiles: the picture is fitted into 2048 x 2048, then its short side into 768, and covered with tiles
of 512; "low" detail takes the base alone. Patches: as many squares of 32 pixels as cover it, at
most a budget to which it is shrunk, times a factor. Source: the guide "Images and vision", and for
the factors of GPT-5 and later, which differ from it, figures measured at the API:
https://community.openai.com/t/1377015 (read 2026-11)
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from math import ceil, floor, sqrt
from typing import Any, Final, TypeVar

from headrace.messages import picture_size

T = TypeVar("T")

# By the start of the model's name, the longest first: (base, each tile).
_TILES: Final = {
    "gpt-4o-mini": (2833, 5667),
    "computer-use-preview": (65, 129),
    "o1": (75, 150),
    "o3": (75, 150),
    "gpt-5": (70, 140),
}
_OTHER = (85, 170)  # gpt-4o, gpt-4.1, gpt-4.5, gpt-4-turbo, and what nobody knows

# By the start of the model's name: (factor, patches at most).
_PATCHES: Final = {
    "gpt-4.1-mini": (1.62, 1536),
    "gpt-4.1-nano": (2.46, 1536),
    "o4-mini": (1.72, 1536),
    "codex-mini": (1.72, 1536),
    "gpt-5-mini": (1.2, 1536),
    "gpt-5-nano": (1.5, 1536),
    "gpt-5.2": (1.2, 1536),
    "gpt-5.3": (1.2, 1536),
    "gpt-5.4-mini": (1.2, 1536),
    "gpt-5.4-nano": (1.2, 1536),
    "gpt-5.4": (1.2, 2500),
    "gpt-5.5": (1.2, 2500),
}
_GUESS = (1024, 1024)  # of a picture by URL, whose size nobody knows before it is fetched


def image_tokens(part: Mapping[str, Any], model: str) -> int:
    """Tokens of one part of a request that holds an image, in the form of either API."""
    value: Any = part["image_url"]
    if not isinstance(value, Mapping):
        value = {"url": value, "detail": part.get("detail")}
    width, height = _size(str(value.get("url") or "")) or _GUESS
    if (patches := _row(_PATCHES, model)) is not None:
        factor, most = patches
        return ceil(_covered(width, height, most) * factor)
    base, tile = _row(_TILES, model) or _OTHER
    if value.get("detail") == "low":
        return base
    return base + tile * _tiles(width, height)


def _row(table: Mapping[str, T], model: str) -> T | None:
    name = model.removeprefix("ft:")
    fitting = [start for start in table if name == start or name.startswith(f"{start}-")]
    return table[max(fitting, key=len)] if fitting else None


def _tiles(width: int, height: int) -> int:
    shrunk = min(1.0, 2048 / max(width, height))
    shrunk *= min(1.0, 768 / (min(width, height) * shrunk))
    return ceil(round(width * shrunk) / 512) * ceil(round(height * shrunk) / 512)


def _covered(width: int, height: int, most: int) -> int:
    """Patches that cover a picture, shrunk so that they are no more than `most`."""
    patches = ceil(width / 32) * ceil(height / 32)
    if patches <= most:
        return patches
    factor = sqrt(most * 32 * 32 / (width * height))
    across, down = width * factor / 32, height * factor / 32
    factor *= min(floor(across) / across, floor(down) / down)  # whole patches, one way at least
    return min(ceil(width * factor / 32 - 1e-9) * ceil(height * factor / 32 - 1e-9), most)


def _size(url: str) -> tuple[int, int] | None:
    head, found, data = url.partition(";base64,")
    if not found or not head.startswith("data:"):
        return None
    try:
        # A JPEG may say its size late, after a preview; everything else says it at once.
        size = picture_size(b64decode(data[:400_000]))
    except (Base64Error, ValueError):
        return None
    return size if size and min(size) > 0 else None
