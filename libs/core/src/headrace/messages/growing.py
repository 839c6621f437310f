"""Cut JSON read as far as it is known: the one law for all that is shown while it streams."""

from __future__ import annotations

import re
from typing import Any

from headrace.deferred import pydantic_core

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OPEN_NUMBER = re.compile(r"[-+.\deE]+\Z")


def partial_json(document: str) -> Any:
    """The object or array of a JSON document that may be cut; None if nothing is known.

    Strings grow, a key comes with its value, a number or literal comes whole: as the document
    grows, no value that was there is taken back, and of a whole document it is the value.
    """
    if document.lstrip()[:1] not in ("{", "["):
        return None
    if document[-1:].isdigit() and '"' not in _STRING.sub("", document):
        document = _OPEN_NUMBER.sub("", document)  # more digits may follow
    try:
        return pydantic_core.from_json(
            document, allow_partial="trailing-strings", allow_inf_nan=False
        )
    except ValueError:
        return None  # what is wrong is said when the document has ended
