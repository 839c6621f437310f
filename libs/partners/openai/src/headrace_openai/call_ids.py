"""Ids of tool calls that are no longer than a service takes them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.chat_models import Notes

RESPONSES = 64  # as Responses says of `call_id`: "Expected a string with maximum length 64"


class FittingIds:
    """Shortens ids of other services to at most `most` characters, the same each time."""

    def __init__(self, most: int | None, notes: Notes) -> None:
        self.most, self.notes = most, notes
        self._shortened: dict[str, str] = {}

    def fit(self, id: str) -> str:
        """The id as it goes out; a call and its result get the same."""
        if self.most is None or len(id) <= self.most:
            return id
        if id not in self._shortened:
            digest = sha256(id.encode("utf-8", "surrogatepass")).hexdigest()
            self._shortened[id] = f"call_{digest[:32]}"
            reason = f"an id has at most {self.most} characters"
            sent = self._shortened[id]
            self.notes.record("tool call id", id, sent, "translated", reason)
        return self._shortened[id]
