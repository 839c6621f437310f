"""Values built once for their key and shared by all threads; of many, those used last."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Guard:
    """A lock that a pickle or copy of its owner does not share: it gets one of its own."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __reduce__(self) -> Any:
        return Guard, ()


class Recent(Generic[T]):
    """The `size` values used last; pickled and copied, it begins empty again."""

    __slots__ = ("_guard", "_kept", "_size")

    def __init__(self, size: int) -> None:
        self._size, self._guard = size, Guard()
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable, build: Callable[[], T]) -> T:
        """The value of `key`, built if it is not there; never twice at the same time."""
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            value = self._kept[key] = build()
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
            return value

    def __reduce__(self) -> Any:
        return Recent, (self._size,)
