"""Ids of tool calls as a service takes them: one for each call, the same for its result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.chat_models import Notes

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class IdRule:
    """Which ids of tool calls a service takes, and how one is made of another that it does not.

    `reason`: in a record, with its source beside the rule. `digits`: of what the `length` last
    characters of a made one are; `prefix`: what comes before them.
    """

    pattern: re.Pattern[str]
    reason: str
    prefix: str = "call_"
    digits: str = "0123456789abcdef"
    length: int = 32

    def takes(self, id: str) -> bool:
        return self.pattern.fullmatch(id) is not None

    def made_of(self, text: str) -> str:
        """An id that is taken, the same one for the same text, every time."""
        number = int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")
        made = ""
        for _ in range(self.length):
            number, digit = divmod(number, len(self.digits))
            made += self.digits[digit]
        return self.prefix + made


ANY_ID = IdRule(re.compile(r"(?s).*"), "any id is taken")


class CallIds:
    """The ids of one request: what fits stays, what does not is rewritten, and no two are one.

    Calls without an id get one; results without one answer these calls, in their order.
    """

    def __init__(self, rule: IdRule, notes: Notes) -> None:
        self._rule, self._notes = rule, notes
        self._sent: dict[str, str] = {}
        self._taken: set[str] = set()
        self._unnamed: list[str] = []
        self._made = 0

    def of_call(self, id: str | None) -> str:
        """The id of a call as it goes out."""
        if id:
            return self._fitting(id)
        self._made += 1
        made = self._free(f"call_{self._made}")
        self._unnamed.append(made)
        return made

    def of_result(self, id: str | None) -> str:
        """That of the call which a result answers; empty where there is none."""
        if id:
            return self._fitting(id)
        return self._unnamed.pop(0) if self._unnamed else ""

    def _fitting(self, id: str) -> str:
        found = self._sent.get(id)
        if found is None:
            found = self._sent[id] = self._free(id)
            if found != id:
                rule = self._rule
                reason = "another call has it" if rule.takes(id) else rule.reason
                self._notes.record("tool call id", id, found, "translated", reason)
        return found

    def _free(self, id: str) -> str:
        """The id itself, or the first one made of it, that fits and is no other's."""
        found, text = id, id
        while found in self._taken or not self._rule.takes(found):
            found, text = self._rule.made_of(text), f"{text}+"
        self._taken.add(found)
        return found
