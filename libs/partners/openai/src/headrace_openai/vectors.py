"""Requests for vectors, and the answers to them, of OpenAI and of compatible services. Pure.

Source: https://developers.openai.com/api/reference/resources/embeddings (read 2026-11)
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.chat_models.wire import excerpt
from headrace.embeddings import EmbeddingResult
from headrace.errors import WireError
from headrace.transport import error_in
from headrace_openai.usage import read_usage

if TYPE_CHECKING:
    from headrace.embeddings import EmbeddingSettings
    from headrace_openai.dialects import Dialect


def encode_texts(texts: list[str], settings: EmbeddingSettings, dialect: Dialect) -> dict[str, Any]:
    """The body of a request; vectors come as base64 where the service is known to send it."""
    params = dict(settings.params)
    more = params.pop("extra_body", None) or {}
    body: dict[str, Any] = {"model": params.pop("model"), "input": texts}
    if dialect.base64_vectors:
        body["encoding_format"] = "base64"
    if "dimensions" in params:
        body[dialect.dimensions] = params.pop("dimensions")
    return {**body, **params, **more}


def decode_vectors(body: Any, *, provider: str, request_id: str | None = None) -> EmbeddingResult:
    """The vectors of a response in the order of its texts; a ModelError for an error in it."""
    if (error := error_in(body, request_id=request_id)) is not None:
        raise error
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WireError(f"a list of vectors was expected, not {excerpt(repr(body))}")
    at = [row.get("index", place) for place, row in enumerate(rows)]
    if sorted(at, key=repr) != sorted(range(len(rows)), key=repr):
        raise WireError(f"the vectors of a response are numbered {at[:5]} …, not from 0 on")
    vectors: list[list[float]] = [[]] * len(rows)
    for place, row in zip(at, rows, strict=True):
        vectors[place] = _vector(row.get("embedding"))
    raw = body.get("usage")
    about: dict[str, Any] = {"model_provider": provider}
    if isinstance(body.get("model"), str):
        about["model_name"] = body["model"]
    if request_id is not None:
        about["request_ids"] = [request_id]
    return EmbeddingResult(vectors, read_usage(raw) if isinstance(raw, Mapping) else None, about)


def _vector(value: Any) -> list[float]:
    """Numbers, or base64 of 32-bit floats, little end first."""
    if isinstance(value, str):
        try:
            numbers = array("f", b64decode(value, validate=True))
        except (Base64Error, ValueError) as error:
            raise WireError(f"a vector is not base64 of 32-bit floats: {error}") from error
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers.tolist()
    good = isinstance(value, list) and all(one.__class__ in (float, int) for one in value)
    if not good or not value:
        raise WireError(f"a vector is a list of numbers, not {excerpt(repr(value))}")
    return [float(one) for one in value]
