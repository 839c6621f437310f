"""strict_schema: a JSON Schema as strict modes take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.tools.compiling import compile_schema
from headrace.tools.dialects import STRICT


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that strict modes take and that accepts what `schema` accepts.

    Objects are closed; a property that may be left out may be null instead. Raises InputError
    where that cannot be: objects with any keys, and values of any type.
    """
    return compile_schema(schema, STRICT).schema
