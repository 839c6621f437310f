"""What tells functions, and other objects that answer as models, apart in a cache."""

from __future__ import annotations

import weakref
from hashlib import sha256
from typing import Any
from uuid import uuid4

_identities: dict[int, str] = {}


def identity_of(function: Any) -> str:
    """What tells functions apart in a cache.

    A function without state is known by where it stands and what it says, so in another
    process too; any other by being this very object.
    """
    owner, code = getattr(function, "__self__", None), getattr(function, "__code__", None)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    place = f"{getattr(function, '__module__', '')}.{name}"
    state = code is None or function.__closure__ or function.__defaults__ or function.__kwdefaults__
    if owner is None and not state:
        return f"{place}:{sha256(repr(_said(code)).encode()).hexdigest()}"
    holder = function if owner is None else owner
    key = id(holder)
    if key not in _identities:
        try:
            weakref.finalize(holder, _identities.pop, key, None)
        except TypeError:  # it cannot be followed, and its id may be another's some day
            return f"{place}#{uuid4().hex}"
        _identities[key] = uuid4().hex
    return f"{place}#{_identities[key]}"


def _said(code: Any) -> tuple[Any, ...]:
    """The code of a function with that of the functions in it."""
    inner = [_said(value) if hasattr(value, "co_code") else value for value in code.co_consts]
    return code.co_code, code.co_names, inner
