"""Values as a log may hold them: plain, without secrets, and cut to a size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic_core import to_jsonable_python

from headrace.messages import BaseMessage

REDACTED = "[redacted]"

# Names whose values are secrets, in whatever case and with `-` or `_`, whole or after a `_`.
SECRET_NAMES = frozenset(
    {
        "api_key", "apikey", "access_key", "secret_key", "private_key", "authorization", "cookie",
        "credential", "credentials", "password", "passwd", "secret", "access_token", "auth_token",
        "bearer_token", "refresh_token", "session_token", "id_token",
    }
)  # fmt: skip

# Forms of keys and tokens that services give out, wherever they stand in a text.
_SECRETS = re.compile(
    r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{16,}"
    r"|\b(?:gsk|hf|r8|gh[pousr]|xox[abprs]|glpat)[_-][A-Za-z0-9_-]{16,}"
    r"|\b(?:pplx|nvapi|fw)[-_][A-Za-z0-9_-]{20,}"
    r"|\b[a-z]{2,5}-[A-Za-z0-9]{64,}"
    r"|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_DATA_URL = re.compile(r"(data:[\w.+-]+/[\w.+-]+;base64,)([A-Za-z0-9+/=_-]{64,})")


@dataclass(frozen=True, slots=True)
class Recording:
    """How values are written down; None: no bound.

    `max_chars` of a text, `max_items` of a list or dict, `max_depth` of what is nested.
    `names`: of fields more that are redacted. `redact`: the last word on a whole record.
    """

    max_chars: int | None = 2000
    max_items: int | None = 20
    max_depth: int | None = 8
    names: frozenset[str] = frozenset()
    redact: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None

    def record(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """A record of these fields; None if `redact` wants it not to be there."""
        found = {name: self._field(name, value, 1) for name, value in fields.items()}
        return found if self.redact is None else self.redact(found)

    def plain(self, value: Any, depth: int = 0) -> Any:
        """The value in JSON's types, with what is secret or too much named instead."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self._text(value)
            case bytes() | bytearray():
                return f"<{len(value)} bytes>"
            case BaseMessage():
                return self._dict(_dumped(value), depth)
            case Mapping():
                return self._dict(value, depth)
            case list() | tuple() | set() | frozenset():
                return self._list(value, depth)
        return self.plain(_jsonable(value), depth)

    def _text(self, text: str) -> str:
        text = _DATA_URL.sub(lambda found: f"{found[1]}<{len(found[2])} characters>", text)
        text = _SECRETS.sub(REDACTED, text)
        if self.max_chars is None or len(text) <= self.max_chars:
            return text
        return f"{text[: self.max_chars]}… ({len(text) - self.max_chars} characters more)"

    def _dict(self, value: Mapping[Any, Any], depth: int) -> Any:
        if self.max_depth is not None and depth >= self.max_depth:
            return f"<dict of {len(value)}>"
        items = islice(value.items(), self.max_items)
        found = {str(key): self._field(str(key), item, depth + 1) for key, item in items}
        if len(value) > len(found):
            found["…"] = f"{len(value) - len(found)} more"
        return found

    def _field(self, name: str, value: Any, depth: int) -> Any:
        if value is not None and self._is_secret(name):
            return REDACTED
        if name == "base64" and isinstance(value, str):
            return f"<{len(value)} characters>"
        return self.plain(value, depth)

    def _list(self, value: Iterable[Any], depth: int) -> Any:
        items = list(value)
        if self.max_depth is not None and depth >= self.max_depth:
            return f"<list of {len(items)}>"
        found = [self.plain(item, depth + 1) for item in islice(items, self.max_items)]
        if len(items) > len(found):
            found.append(f"… {len(items) - len(found)} more")
        return found

    def _is_secret(self, name: str) -> bool:
        plain = name.lower().replace("-", "_")
        secret = SECRET_NAMES | self.names
        return plain in secret or any(plain.endswith(f"_{one}") for one in secret)


def _dumped(message: BaseMessage) -> dict[str, Any]:
    """A message as a dict, without what is empty."""
    dumped = message.model_dump()
    return {key: value for key, value in dumped.items() if value not in (None, {}, [])}


def _jsonable(value: Any) -> Any:
    """Dataclasses, models, dates and the like as JSON has them; else what their repr says."""
    found = to_jsonable_python(value, fallback=repr, serialize_unknown=True)
    return found if isinstance(found, str | int | float | dict | list | None) else repr(value)
