"""What is not sent as asked: the policy that decides about it, and the record of it."""

from __future__ import annotations

import warnings
from copy import deepcopy
from threading import Lock
from typing import Any, Literal

from headrace.errors import UnsupportedContentError, UnsupportedParameterError

Policy = Literal["adapt", "warn", "drop", "raise"]
ContentPolicy = Literal["raise", "drop", "describe"]
Action = Literal["renamed", "clamped", "translated", "left out", "described", "added"]
Record = dict[str, Any]

_told: set[tuple[str, str]] = set()
_lock = Lock()


def warn_once(model: str, about: str, message: str) -> None:
    """Warns once per process about one thing of one model."""
    with _lock:
        if (model, about) in _told:
            return
        _told.add((model, about))
    warnings.warn(message, UserWarning, stacklevel=2)


class Notes:
    """The records of one request: {name, asked, sent, action, reason}, in order.

    `sent`: the value sent under the same name; where other names carry it, a dict of these;
    None where it was left out. With `warned` a list, warnings go there and not to the process.
    """

    __slots__ = ("content", "model", "policy", "records", "warned")

    def __init__(
        self,
        policy: Policy = "adapt",
        content: ContentPolicy = "raise",
        model: str = "the model",
        warned: list[str] | None = None,
    ) -> None:
        self.policy, self.content, self.model = policy, content, model
        self.records: list[Record] = []
        self.warned = warned

    def copy(self) -> Notes:
        """The same records so far, for one attempt to go on from."""
        copied = Notes(self.policy, self.content, self.model, self.warned)
        copied.records = [dict(record) for record in self.records]
        return copied

    def record(self, name: str, asked: Any, sent: Any, action: Action, reason: str) -> None:
        """Notes a change that loses nothing, under every policy and without a warning."""
        asked, sent = _own(asked), _own(sent)
        self.records.append(
            {"name": name, "asked": asked, "sent": sent, "action": action, "reason": reason}
        )

    def revise(self, name: str, asked: Any, sent: Any, action: Action, reason: str) -> None:
        """As `record`, with one record a parameter: what was asked first, what is sent at last."""
        before = next((known for known in self.records if known["name"] == name), None)
        if before is None:
            self.record(name, asked, sent, action, reason)
            return
        before.update(sent=_own(sent), reason=f"{before['reason']}; {reason}")
        if action != "renamed":
            before["action"] = action

    def change(
        self, name: str, asked: Any, sent: Any, action: Action, reason: str, *, apart: bool = False
    ) -> Any:
        """What to send of a parameter that cannot be taken as asked; None: leave it out.

        Raises UnsupportedParameterError under the policy "raise". `apart`: with a record of its
        own, because the same name comes several times in a request.
        """
        match self.policy:
            case "raise":
                raise UnsupportedParameterError(f"`{name}` = {asked!r}: {reason}")
            case "warn":
                self.tell(name, f"`{name}` = {asked!r} is sent as asked, but {reason}")
                return asked
            case "drop":
                sent, action = None, "left out"
            case "adapt":
                done = "is left out" if sent is None else f"is sent as {sent!r}"
                self.tell(name, f"`{name}` = {asked!r} {done}: {reason}")
        note = self.record if apart else self.revise
        note(name, asked, sent, action, reason)
        return sent

    def refuse(self, name: str, asked: Any, reason: str, advice: str) -> bool:
        """Whether to leave out what nothing can stand in for; "adapt" raises here too."""
        if self.policy == "adapt":
            raise UnsupportedParameterError(
                f'{reason}; {advice}, or say `on_unsupported="warn"` to send `{name}` all the '
                'same, "drop" to leave it out'
            )
        return self.change(name, asked, None, "left out", reason) is None

    def lose(self, kind: str, asked: str, described: str, reason: str) -> str | None:
        """What stands in for content that cannot be carried: a text, or None.

        Raises UnsupportedContentError under the content policy "raise".
        """
        if self.content == "raise":
            raise UnsupportedContentError(reason)
        sent = described if self.content == "describe" else None
        self.record(kind, asked, sent, "left out" if sent is None else "described", reason)
        return sent

    def tell(self, about: str, message: str) -> None:
        """Warns once per process and model about a parameter or a fact."""
        if self.warned is not None:
            self.warned.append(message)
        else:
            warn_once(self.model, about, message)


def _own(value: Any) -> Any:
    """A copy of what could be changed elsewhere."""
    return deepcopy(value) if isinstance(value, dict | list | tuple) else value
