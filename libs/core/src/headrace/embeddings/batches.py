"""Texts cut into requests: no more of them, and no more tokens, than one request takes."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.errors import InputError

_BYTES_A_TOKEN = 3  # on the safe side: about 4 in English, about 3 where characters have 3


def estimate(text: str) -> int:
    """About how many tokens a text has; rather too many than too few."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN)


def batches(texts: Sequence[str], size: int, tokens: int | None) -> list[list[str]]:
    """The texts in order, cut into runs of at most `size`, and of at most `tokens` by estimate.

    A text with more tokens than that stands alone: its model decides.
    """
    if tokens is None:
        return [list(texts[at : at + size]) for at in range(0, len(texts), size)]
    cut: list[list[str]] = []
    held = 0
    for text in texts:
        weight = estimate(text)
        if not cut or len(cut[-1]) == size or held + weight > tokens:
            cut.append([])
            held = 0
        cut[-1].append(text)
        held += weight
    return cut


def read_texts(given: object) -> list[str]:
    """The texts to embed; InputError for what is none, and for an empty one, by its place."""
    if isinstance(given, str | bytes) or not hasattr(given, "__iter__"):
        raise InputError(
            f"a list of texts is embedded, not {type(given).__name__}; "
            "a single text by `embed_query`"
        )
    texts = list(given)
    for at, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"texts are embedded; number {at} is {type(text).__name__}")
        if not text:
            raise InputError(f"text number {at} is empty; there is nothing to embed")
    return texts
