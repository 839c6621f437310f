"""Log probabilities of the tokens of an answer.

Source: https://ai.google.dev/api/generate-content#LogprobsResult (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any


def read_logprobs(result: Any) -> dict[str, Any] | None:
    """{"content": [{"token", "logprob", "token_id"?, "top_logprobs"?}]}; None if there are none."""
    if not isinstance(result, Mapping):
        return None
    chosen = result.get("chosenCandidates") or ()
    top = result.get("topCandidates") or ()
    content = []
    for token, others in zip_longest(chosen, top[: len(chosen)] if chosen else ()):
        row = _token(token)
        if others:
            row["top_logprobs"] = [_token(other) for other in others.get("candidates") or ()]
        content.append(row)
    return {"content": content} if content else None


def _token(candidate: Mapping[str, Any]) -> dict[str, Any]:
    # Protocol buffers leave zeros out: a probability of 1 has no `logProbability`.
    row = {"token": candidate.get("token", ""), "logprob": candidate.get("logProbability", 0.0)}
    if "tokenId" in candidate:
        row["token_id"] = candidate["tokenId"]
    return row
