"""Nothing hangs: every call of the SDK ends within a stated time, answered or not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from services.errors import UnavailableError

log = logging.getLogger(__name__)
T = TypeVar("T")

LIMIT_S = 15.0
AT_ONCE = 16


class Deadlines:
    """Runs calls on threads of its own and stops waiting when their time is up.

    A call that never returns keeps its thread until the peer lets go; when all of them
    are held up, further calls end at their deadline too.
    """

    def __init__(self, limit_s: float = LIMIT_S, at_once: int = AT_ONCE) -> None:
        self.limit_s = limit_s
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="azure")

    def call(self, doing: str, function: Callable[[], T], *, limit_s: float | None = None) -> T:
        """What `function` answers or raises.

        Args:
            doing: the rest of “Azure ML did not answer within 15 s while …”.

        Raises:
            UnavailableError: the time is up; whether Azure acted is unknown.
        """
        return self._result(self._pool.submit(function), doing, limit_s or self.limit_s)

    def all(self, doing: str, functions: Sequence[Callable[[], T]]) -> list[T]:
        """Several calls side by side, their answers in order, within one deadline.

        Raises:
            UnavailableError: as `call`; or whatever the first of them raised.
        """
        futures = [self._pool.submit(function) for function in functions]
        wait(futures, timeout=self.limit_s, return_when=FIRST_EXCEPTION)
        failed = [each for each in futures if each.done() and each.exception() is not None]
        try:
            return [self._result(future, doing, 0.0) for future in failed[:1] or futures]
        finally:  # nobody waits for the rest: its threads are for the next who asks
            for future in futures:
                future.cancel()

    def background(self, doing: str, function: Callable[[], object]) -> None:
        """A slow change that nobody waits for; its failure is logged by name."""

        def run() -> None:
            try:
                function()
            except Exception:
                log.exception("failed while %s", doing)
                raise

        self._pool.submit(run)

    def _result(self, future: Future[T], doing: str, limit_s: float) -> T:
        if not future.done():
            wait([future], timeout=limit_s)
        if not future.done():
            future.cancel()
            raise UnavailableError(
                f"Azure ML did not answer within {limit_s or self.limit_s:.0f} s while {doing}."
            )
        return future.result()
