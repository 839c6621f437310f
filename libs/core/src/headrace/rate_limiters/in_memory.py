"""InMemoryRateLimiter: the limiter of requests that the field knows, without its polling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.engine.drive import drive
from headrace.engine.run import open_run
from headrace.engine.strands import Strand
from headrace.engine.worlds import async_world, sync_world
from headrace.errors import InputError
from headrace.rate_limiters.bucket import Bucket
from headrace.rate_limiters.limiter import Claim, RateLimiter

if TYPE_CHECKING:
    from headrace.engine.worlds import World

_ONE = Claim({"requests": 1.0}, Strand(0))


class InMemoryRateLimiter(RateLimiter):
    """So many requests a second, of which `max_bucket_size` may come at once.

    `check_every_n_seconds` is accepted for compatibility and not used: who waits is woken when
    it is its turn. The first requests go at once, for the bucket begins full.
    """

    def __init__(
        self,
        *,
        requests_per_second: float = 1,
        check_every_n_seconds: float = 0.1,
        max_bucket_size: float = 1,
    ) -> None:
        for name, value in (
            ("requests_per_second", requests_per_second),
            ("max_bucket_size", max_bucket_size),
        ):
            if not value > 0:
                raise InputError(f"`{name}` is a number above 0, not {value!r}")
        given = {
            "requests_per_second": requests_per_second,
            "check_every_n_seconds": check_every_n_seconds,
            "max_bucket_size": max_bucket_size,
        }
        self._set(given, None, True)
        self._rule.buckets.append(("requests", Bucket(requests_per_second, max_bucket_size)))

    def acquire(self, *, blocking: bool = True) -> bool:
        """Waits for leave to make one request; not `blocking`: says at once if there is."""
        if blocking:
            drive(self._enter(sync_world()))
            return True
        return self._line.try_enter(_ONE)

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """As `acquire`, for async callers."""
        if blocking:
            await self._enter(async_world())
            return True
        return self._line.try_enter(_ONE)

    async def _enter(self, io: World) -> None:
        await self._line.enter(_ONE, open_run(io, None))
