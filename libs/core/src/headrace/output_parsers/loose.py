"""JSON as models misspell it, said strictly: quotes, commas, comments, Python's words."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(
    r"""
    "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'    # a text; one that does not end is no token
    | //[^\n]* | /\*.*?\*/                     # a comment
    | [\[\]{}:,] | \s+
    | [^\s\[\]{}:,"'/]+ | .
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"True": "true", "False": "false", "None": "null"}
_KEY = re.compile(r"[A-Za-z_$][\w$-]*")
_CONTROL = re.compile(r"[\x00-\x1f]")
_QUOTES = re.compile(r"\\.|\"", re.DOTALL)


def strictly(text: str, start: int) -> tuple[str, int] | None:
    """(the document that begins at a bracket, in strict JSON; where it ends); None if it is cut.

    Only the spelling changes: nothing is added that a cut-off document would need.
    """
    out: list[str] = []
    depth = 0
    for match in _TOKEN.finditer(text, start):
        token = match.group()
        if token.isspace() or token.startswith(("//", "/*")):
            out.append(" ")
        elif token[0] in "\"'":
            if len(token) == 1:
                return None
            out.append(_text(token))
        elif token in "[{":
            depth += 1
            out.append(token)
        elif token in "]}":
            depth -= 1
            _drop_comma(out)
            out.append(token)
            if depth == 0:
                return "".join(out), match.end()
        elif token == ":":
            _quote_key(out)
            out.append(token)
        else:
            out.append(_WORDS.get(token, token))
    return None


def _text(token: str) -> str:
    inside = _CONTROL.sub(lambda found: json.dumps(found.group())[1:-1], token[1:-1])
    return f'"{_QUOTES.sub(_requoted, inside)}"'


def _requoted(found: re.Match[str]) -> str:
    """A quote of one kind inside of the other."""
    said = found.group()
    return {'"': '\\"', "\\'": "'"}.get(said, said)


def _last(out: list[str]) -> int:
    return next((at for at in reversed(range(len(out))) if out[at] != " "), -1)


def _drop_comma(out: list[str]) -> None:
    at = _last(out)
    if at >= 0 and out[at] == ",":
        out[at] = " "


def _quote_key(out: list[str]) -> None:
    at = _last(out)
    if at >= 0 and _KEY.fullmatch(out[at]):
        out[at] = f'"{out[at]}"'
