"""Answers remembered for a while, so that a page asks the back end for each thing once.

How long depends on the back end: a local store answers in a millisecond and changes at
once, Azure charges every question with a round trip and counts them. Whoever asks for
the same thing at the same time waits for the same answer.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import session
from services.errors import ServiceError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """Seconds an answer is remembered, by back end."""

    local: float
    azure: float
    moving: float | None = None  # on Azure, while what was answered changes by itself
    failed: float = 3.0  # on Azure: a page asks a service that is down once, not once per panel

    def of(self, answer: _Answer, *, backend: str, moving: Callable[[Any], bool] | None) -> float:
        if answer.error is not None:
            return 0.0 if backend == "local" else self.failed
        if backend == "local":
            return self.local
        if self.moving is not None and moving is not None and moving(answer.value):
            return self.moving
        return self.azure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    value: Any = None
    error: ServiceError | None = None


_lock = threading.Lock()
_generation = 0


class _Shelf:
    """What one read remembers. Keys begin with the workspace that was asked."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, tuple[float, _Answer]] = OrderedDict()
        self._turns: dict[Hashable, threading.Lock] = {}

    def known(self, key: Hashable) -> _Answer | None:
        with _lock:
            until, answer = self._answers.get(key, (0.0, None))
            if answer is None or time.monotonic() >= until:
                return None
            self._answers.move_to_end(key)
            return answer

    def turn(self, key: Hashable) -> threading.Lock:
        """Held by the one who asks; the others wait for the same answer."""
        with _lock:
            return self._turns.setdefault(key, threading.Lock())

    def keep(self, key: Hashable, answer: _Answer, length_s: float, generation: int) -> _Answer:
        """Unless everything was forgotten since it was asked for."""
        with _lock:
            self._turns.pop(key, None)
            if generation == _generation:
                self._answers[key] = (time.monotonic() + length_s, answer)
                self._answers.move_to_end(key)
                while len(self._answers) > self._most:
                    self._answers.popitem(last=False)
        return answer

    def clear(self) -> None:
        self._answers.clear()


_shelves: list[_Shelf] = []


def clear() -> None:
    """Forget everything. An answer that is on its way was asked for before: it is not kept."""
    global _generation
    with _lock:
        _generation += 1
        for shelf in _shelves:
            shelf.clear()


def remembered(
    lifetime: Lifetime,
    *,
    moving: Callable[[Any], bool] | None = None,
    most: int = 200,
    spinner: str = "",
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A read whose answers are remembered, by its arguments and the workspace that is open.

    Args:
        lifetime: How long.
        moving: Whether an answer is about to change by itself.
        most: How many answers are kept; the one used longest ago goes first.
        spinner: What to say while a page waits for it.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        shelf = _Shelf(most)
        with _lock:
            _shelves.append(shelf)

        @wraps(function)
        def read(*args: P.args, **kwargs: P.kwargs) -> T:
            workspace = session.workspace()
            place = (workspace.backend, workspace.location, workspace.name)
            key = (place, args, tuple(sorted(kwargs.items())))
            if (known := shelf.known(key)) is None:
                with shelf.turn(key):
                    if (known := shelf.known(key)) is None:  # else somebody asked meanwhile
                        generation = _generation
                        answer = _asked(lambda: function(*args, **kwargs), spinner)
                        length_s = lifetime.of(answer, backend=workspace.backend, moving=moving)
                        known = shelf.keep(key, answer, length_s, generation)
            if known.error is not None:
                raise known.error.with_traceback(None)
            return cast(T, known.value)

        return read

    return decorate


def _asked(ask: Callable[[], T], spinner: str) -> _Answer:
    try:
        if not spinner or get_script_run_ctx(suppress_warning=True) is None:
            return _Answer(value=ask())
        with st.spinner(spinner):
            return _Answer(value=ask())
    except ServiceError as error:
        return _Answer(error=error)
