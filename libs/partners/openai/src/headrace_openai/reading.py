"""A list of models as names."""

from __future__ import annotations

from headrace.chat_models.wire import excerpt, parse
from headrace.errors import WireError

MODELS = "/models"


def read_models(data: bytes) -> list[str]:
    """The names in a list of models; some services give the bare list, or name folders."""
    listed = parse(data)
    rows = listed.get("data") if isinstance(listed, dict) else listed
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WireError(f"a list of models was expected, not {excerpt(data)}")
    return sorted({str(row["id"]).removeprefix("models/") for row in rows if row.get("id")})
