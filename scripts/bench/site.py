"""Where a contender's work is served, and how its answers are checked."""

from __future__ import annotations

from dataclasses import dataclass

from bench.replies import length

MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-5-5"}
KEY = "key-of-nobody"
ASKED = "Why is the sky blue?"
MAX_TOKENS = 1024
ITEMS, LATE_AT_ONCE = 1_000, 100


@dataclass(frozen=True)
class Site:
    """One row's reply on the server, by the wire of one provider."""

    port: int
    wire: str
    reply: str

    @property
    def url(self) -> str:
        """What an SDK takes as `base_url`."""
        base = f"http://127.0.0.1:{self.port}/{self.reply}"
        return f"{base}/v1" if self.wire == "openai" else base

    @property
    def model(self) -> str:
        return MODELS[self.wire]

    @property
    def units(self) -> int:
        """Chunks of a stream; 1 of a whole answer."""
        return int(self.reply.partition("-")[2] or 1)

    def check(self, got: int) -> None:
        """Raises unless an answer has the length that was sent."""
        if got != length(self.reply):
            raise ValueError(f"{got} characters of `{self.reply}`, not {length(self.reply)}")
