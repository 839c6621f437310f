"""models.dev's data, from its URL or from a file, with its date and hash."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from headrace.profiles.errors import ProfileError

MODELS_DEV = "https://models.dev/api.json"
RECORD = Path("profiles", "upstream.toml")
_MOST = 64 * 1024 * 1024  # bytes; the data of July 2026 has 2.4 million


@dataclass(frozen=True, slots=True)
class Upstream:
    """All providers' entries by models.dev's ids; `date` is that of the data (YYYY-MM-DD)."""

    providers: Mapping[str, Any]
    sha256: str
    date: str

    @property
    def label(self) -> str:
        """What a field's source is called."""
        return f"models.dev {self.date}"


def read_source(
    source: str = MODELS_DEV,
    *,
    timeout: float = 30,
    on: str | None = None,
    near: Path | None = None,
) -> Upstream:
    """The data at an http(s) URL, or in a file; raises ProfileError for anything else than that.

    Its date: `on`, else what `profiles/upstream.toml` in a folder above `near` records for the
    same bytes, else the server's Last-Modified or the file's time of change. `timeout` in seconds.
    """
    if source.startswith(("https://", "http://")):
        content, changed = _download(source, timeout)
    elif "://" in source:
        raise ProfileError(f"the source is an http(s) URL or a file, not {source!r}")
    else:
        content, changed = _file(Path(source))
    digest = sha256(content).hexdigest()
    day = on or _recorded(digest, near) or changed
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise ProfileError(f"a date is written like 2026-07-02, not {day!r}") from error
    return Upstream(_parsed(content, source), digest, day)


def record(upstream: Upstream) -> str:
    """The text of `upstream.toml`: which data the generated files were made from."""
    return (
        "# The data of models.dev (MIT) that the profiles in libs/partners/ were made from.\n"
        "# Written by `make profiles`; do not edit.\n"
        f'source = "{MODELS_DEV}"\ndate = {upstream.date}\nsha256 = "{upstream.sha256}"\n'
    )


def _download(url: str, timeout: float) -> tuple[bytes, str]:
    request = Request(url, headers={"User-Agent": "headrace", "Accept": "application/json"})
    try:
        with urlopen(request, timeout=timeout) as response:
            content = response.read(_MOST + 1)
            headers = response.headers
    except (OSError, HTTPException, ValueError) as error:
        raise ProfileError(
            f"{url} could not be read: {str(error) or type(error).__name__}"
        ) from error
    length = headers.get("Content-Length", "")
    if length.isdigit() and int(length) != len(content):
        raise ProfileError(f"{url} broke off after {len(content)} of {length} bytes")
    if len(content) > _MOST:
        raise ProfileError(f"{url} is larger than {_MOST} bytes: that is not models.dev's data")
    try:
        changed = parsedate_to_datetime(headers.get("Last-Modified", "")).date()
    except ValueError:
        changed = datetime.now(UTC).date()
    return content, changed.isoformat()


def _file(path: Path) -> tuple[bytes, str]:
    try:
        return path.read_bytes(), datetime.fromtimestamp(
            path.stat().st_mtime, UTC
        ).date().isoformat()
    except OSError as error:
        raise ProfileError(f"{str(path)!r} could not be read: {error.strerror or error}") from error


def _recorded(digest: str, near: Path | None) -> str | None:
    for folder in near.resolve().parents if near else ():
        try:
            known = tomllib.loads((folder / RECORD).read_text("utf-8"))
        except (OSError, ValueError):
            continue
        return str(known["date"]) if known.get("sha256") == digest and "date" in known else None
    return None


def _parsed(content: bytes, source: str) -> Mapping[str, Any]:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    try:
        providers = json.loads(content, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{source} is not JSON, or only a part of it: {error}") from error
    if not isinstance(providers, dict) or not providers:
        raise ProfileError(f"{source} is not models.dev's data: no table of providers")
    for name, entry in providers.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("models"), dict):
            raise ProfileError(f"{source} is not models.dev's data: `{name}` has no `models`")
    return providers
