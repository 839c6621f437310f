"""A list of models as names.

Source: https://platform.claude.com/docs/en/api/models-list (read 2026-11)
"""

from __future__ import annotations

from headrace.chat_models.wire import excerpt, parse
from headrace.errors import WireError

MODELS = "/v1/models?limit=1000"  # the most that one page holds


def read_models(data: bytes) -> list[str]:
    """The names in a list of models."""
    listed = parse(data)
    rows = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WireError(f"a list of models was expected, not {excerpt(data)}")
    return sorted({str(row["id"]) for row in rows if row.get("id")})
