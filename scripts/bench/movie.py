"""The schema of the structured call."""

from __future__ import annotations

from pydantic import BaseModel

from bench.replies import MOVIE


class Movie(BaseModel):
    """A film."""

    title: str
    year: int
    cast: list[str]

    def check(self) -> None:
        """Raises unless it is the film that was sent."""
        if self.model_dump() != MOVIE:
            raise ValueError(f"{self!r} is not what was sent")
