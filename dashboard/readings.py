"""What asking for something can end in, so that a panel never mistakes an outage for no data."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from services.errors import ServiceError

T = TypeVar("T")

KEPT = 64  # last good copies; the one used longest ago goes first


@dataclass(frozen=True, slots=True)
class Stamped(Generic[T]):
    """A value with the instant it was read, for reads that are remembered a while."""

    value: T
    at: datetime


@dataclass(frozen=True, slots=True)
class Data(Generic[T]):
    """There is something to show."""

    value: T
    at: datetime


@dataclass(frozen=True, slots=True)
class Empty:
    """The answer came, and there is nothing in it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NotConfigured:
    """Nobody was asked, because something has to be set up first; `reason` says what."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed(Generic[T]):
    """No answer came; `last` is the newest one that did, if there was any."""

    error: ServiceError
    at: datetime
    last: Data[T] | None


Reading = Data[T] | Empty | NotConfigured | Failed[T]

_copies: OrderedDict[Hashable, Data[Any]] = OrderedDict()
_lock = threading.Lock()


def take(
    fetch: Callable[[], T | Stamped[T]],
    *,
    identity: Hashable,
    is_empty: Callable[[T], bool],
    now: datetime | None = None,
) -> Reading[T]:
    """Ask, and say which of the outcomes it was. Only a `ServiceError` counts as a failure.

    Args:
        identity: What is asked for, in full: the last good copy of something else must
            never stand in for it.
    """
    moment = now or datetime.now(UTC)
    try:
        answer = fetch()
    except ServiceError as error:
        with _lock:
            return Failed(error=error, at=moment, last=_copies.get(identity))
    value, at = (answer.value, answer.at) if isinstance(answer, Stamped) else (answer, moment)
    if is_empty(value):
        return Empty(at)
    data = Data(value, at)
    with _lock:
        _copies[identity] = data
        _copies.move_to_end(identity)
        while len(_copies) > KEPT:
            _copies.popitem(last=False)
    return data


def forget() -> None:
    """Drop every last good copy."""
    with _lock:
        _copies.clear()
