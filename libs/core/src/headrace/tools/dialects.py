"""Which JSON Schema each service takes where it enforces one; see `compile_schema`.

OpenAI: platform.openai.com/docs/guides/structured-outputs (the list of supported schemas; other
formats and patterns with lookaround are a 400). Anthropic: platform.claude.com/docs/en/
build-with-claude/structured-outputs, and `lib/_parse/_transform.py` of its SDK. Bedrock:
docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html (a subset of draft 2020-12,
anything else a 400; for its Claude models the same subset). Google: `responseJsonSchema` in
ai.google.dev/api/generate-content ("only the following properties are supported"; `$ref` stands
alone; what leads back must be optional, null is not enough). Mistral: no list is published; its
SDK closes every object. Ollama: the grammars of llama.cpp, github.com/ggml-org/llama.cpp,
grammars/README.md (what they do not know is skipped). All read in 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from headrace.tools.compiling import SchemaDialect

_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)

STRICT: Final = SchemaDialect(
    drops=frozenset(
        {
            "$comment", "$id", "$schema", "contains", "contentEncoding", "contentMediaType",
            "default", "dependentRequired", "dependentSchemas", "discriminator", "else",
            "example", "examples", "if", "maxContains", "maxLength", "maxProperties",
            "minContains", "minLength", "minProperties", "not", "patternProperties",
            "prefixItems", "propertyNames", "then", "unevaluatedItems",
            "unevaluatedProperties", "uniqueItems",
        }
    ),
    formats=_FORMATS,
    patterns="plain",
    closed=True,
    maps=False,
    untyped=False,
    all_required=True,
    hints=False,
)  # fmt: skip

_CLAUDE: Final = SchemaDialect(
    keeps=frozenset(
        {"const", "default", "enum", "format", "minItems", "pattern", "required", "title"}
    ),
    formats=_FORMATS | {"uri"},
    min_items=frozenset({0, 1}),
    patterns="plain",
    enums=frozenset({"string", "integer", "number", "boolean", "null"}),
    closed=True,
    maps=False,
    untyped=False,
    recursion="no",
)

SCHEMA_DIALECTS: Final[Mapping[str, SchemaDialect]] = {
    "openai": STRICT,
    "anthropic": _CLAUDE,
    "bedrock": _CLAUDE,
    "google": SchemaDialect(
        keeps=frozenset(
            {
                "$anchor", "$id", "enum", "format", "maxItems", "maximum", "minItems", "minimum",
                "prefixItems", "propertyOrdering", "required", "title",
            }
        ),
        enums=frozenset({"string", "integer", "number"}),
        recursion="optional",
    ),
    "mistral": SchemaDialect(closed=True),
    "ollama": SchemaDialect(
        drops=frozenset(
            {
                "$anchor", "contains", "dependentRequired", "dependentSchemas", "else", "if",
                "maxContains", "minContains", "multipleOf", "not", "patternProperties",
                "prefixItems", "propertyNames", "then", "unevaluatedItems",
                "unevaluatedProperties", "uniqueItems",
            }
        ),
        formats=frozenset({"date", "date-time", "time", "uuid"}),
        patterns="anchored",
    ),
}  # fmt: skip
