"""Equal work that is under way is done once: one strand leads, the others wait for what it finds.

If the leader fails or is cancelled, who has waited longest leads next. A leader that hands out
pieces may be held up by its consumer, who may even wait for a follower; so nobody follows one
that has been held up for `PATIENCE` seconds, nor one that cannot go on while he waits.
"""

from __future__ import annotations

import os
import time
from threading import Lock
from typing import TYPE_CHECKING

from headrace.engine.line import Line

if TYPE_CHECKING:
    from collections.abc import Hashable

    from headrace.engine.run import Run
    from headrace.engine.strands import Strand

PATIENCE = 1.0


class Turn:
    """One strand's part in a flight: it leads, or `found` is what the leader found, or neither.

    Who has taken his turn must `leave` in the end.
    """

    __slots__ = ("_flight", "_key", "_left", "leads", "strand")

    def __init__(self, key: Hashable, flight: Flight, strand: Strand) -> None:
        self._key, self._flight, self._left = key, flight, False
        self.strand, self.leads = strand, False

    @property
    def found(self) -> bytes | None:
        return None if self.leads else self._flight.found

    def land(self, found: bytes) -> None:
        """Gives what was found to all who wait."""
        if self.leads:
            with self._flight.line:
                self._flight.found = found

    def hands_out(self) -> None:
        """From now on a piece is with the consumer, until `resumes`."""
        if self.leads:
            self._flight.held_since = time.monotonic()
            if len(self._flight.line):
                self._flight.line.stir()

    def resumes(self) -> None:
        if self.leads:
            self._flight.held_since = None

    def leave(self) -> None:
        """Ends this part; who led and has found nothing makes way for the next."""
        if self._left:
            return
        self._left = True
        with self._flight.line:
            if self.leads:
                self._flight.leader = None
        _leave(self._key)


class Flight:
    """The rule of one line: the first leads, the others go when something was found."""

    def __init__(self) -> None:
        self.line: Line[Turn] = Line(self)
        self.users = 0
        self.leader: Turn | None = None
        self.found: bytes | None = None
        self.held_since: float | None = None

    def admit(self, turn: Turn, now: float) -> float | None:
        if self.found is not None:
            return 0
        if self.leader is None:
            self.leader, self.held_since = turn, None
            turn.leads = True
            return 0
        if turn.strand.stops(self.leader.strand):
            return 0
        if self.held_since is None:
            return None
        return max(self.held_since + PATIENCE - now, 0)

    def withdraw(self, turn: Turn, now: float) -> None:
        if turn.leads:
            self.leader = None

    def forked(self) -> None:
        self.leader = None


_LOCK = Lock()
_FLIGHTS: dict[Hashable, Flight] = {}


async def take_turn(key: Hashable, run: Run) -> Turn:
    """The turn of this strand in the work of `key`: waits while another leads."""
    with _LOCK:
        flight = _FLIGHTS.setdefault(key, Flight())
        flight.users += 1
    turn = Turn(key, flight, run.io.strand())
    try:
        await flight.line.enter(turn, run)
    except BaseException:
        _leave(key)
        raise
    return turn


def _leave(key: Hashable) -> None:
    with _LOCK:
        flight = _FLIGHTS.get(key)
        if flight is None:
            return  # a turn of the parent, left in a forked child
        flight.users -= 1
        if not flight.users:
            del _FLIGHTS[key]


def _after_fork() -> None:
    global _LOCK
    _LOCK = Lock()
    _FLIGHTS.clear()


os.register_at_fork(after_in_child=_after_fork)
