"""One source of chunks, read by several; pulled once, by whoever finds nothing left for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator


class Lock(Protocol):
    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *_: object) -> None: ...


class Tee:
    """`readers` are `count` independent async iterators over `chunks`.

    A reader that is closed keeps nothing back for itself; an error of the source reaches all.
    """

    def __init__(self, chunks: AsyncIterator[Any], count: int, lock: Lock) -> None:
        self._chunks, self._lock = chunks, lock
        self._buffers: list[deque[Any]] = [deque() for _ in range(count)]
        self._ended: BaseException | bool = False
        self.readers: list[AsyncIterator[Any]] = [self._read(b) for b in list(self._buffers)]

    async def _read(self, buffer: deque[Any]) -> AsyncGenerator[Any, None]:
        try:
            while True:
                if not buffer:
                    async with self._lock:
                        if not buffer and not self._ended:
                            await self._pull()
                if buffer:
                    yield buffer.popleft()
                elif self._ended is True:
                    return
                elif self._ended:
                    raise self._ended
        finally:
            self._buffers = [other for other in self._buffers if other is not buffer]

    async def _pull(self) -> None:
        try:
            chunk = await self._chunks.__anext__()
        except StopAsyncIteration:
            self._ended = True
        except BaseException as error:
            self._ended = error
            raise
        else:
            for buffer in self._buffers:
                buffer.append(chunk)
