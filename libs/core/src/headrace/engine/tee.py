"""One source of chunks, read by several; pulled once, by whoever finds nothing left for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from headrace.errors import StepError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator


class Lock(Protocol):
    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, kind: Any, error: Any, trace: Any, /) -> Any: ...


class Tee:
    """`readers` are `count` independent async iterators over `chunks`.

    A reader that is closed keeps nothing back for itself; an error of the source reaches all.
    """

    def __init__(self, chunks: AsyncIterator[Any], count: int, lock: Lock) -> None:
        self._chunks, self._lock = chunks, lock
        self._buffers: dict[int, deque[Any]] = {number: deque() for number in range(count)}
        self._ended = False
        self._error: BaseException | None = None
        self.readers: list[AsyncIterator[Any]] = [self._read(number) for number in range(count)]

    async def _read(self, number: int) -> AsyncGenerator[Any, None]:
        buffer = self._buffers[number]
        try:
            while True:
                if not buffer:
                    async with self._lock:
                        if not buffer and not self._ended:
                            await self._pull()
                if buffer:
                    yield buffer.popleft()
                elif self._error is not None:
                    raise self._error
                elif self._ended:
                    return
        finally:
            self._buffers.pop(number, None)

    async def _pull(self) -> None:
        try:
            chunk = await self._chunks.__anext__()
        except StopAsyncIteration:
            self._ended = True
        except Exception as error:
            self._ended, self._error = True, error
            raise
        except BaseException:  # a cancellation is meant for this reader alone
            self._error = StepError("this input ended when one of its readers was cancelled")
            self._ended = True
            raise
        else:
            for buffer in list(self._buffers.values()):
                buffer.append(chunk)
