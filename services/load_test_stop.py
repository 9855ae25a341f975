"""When a load test ends by itself: too many of its requests fail, or answers have no end (pure)."""

from __future__ import annotations

from collections import deque

RECENT = 50  # requests; a deployment that breaks late is not saved by how well it began
GRACE_S = 5.0  # beyond what answers may take
LEAST = 2  # failures; one alone says nothing


class FailureWatch:
    """Counts answers, and says why to stop once too many of them failed."""

    def __init__(self, limit_pct: float | None) -> None:
        """
        Args:
            limit_pct: the share of failures that ends the test; None: nothing does.
        """
        self._limit_pct = limit_pct
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._count = self._failed_count = 0
        self.reason = ""  # one sentence, once it is to stop

    def note(self, failed: bool, what: str) -> None:
        """One more answer.

        Args:
            what: how it failed, in words.
        """
        self._count += 1
        self._failed_count += failed
        self._recent.append(failed)
        if self.reason or self._limit_pct is None or not failed:
            return
        if self._over(self._failed_count, self._count):
            self._stop(self._failed_count, f"{self._count:,}", what)
        elif len(self._recent) == RECENT and self._over(sum(self._recent), RECENT):
            self._stop(sum(self._recent), f"the last {RECENT}", what)

    def _over(self, failed_count: int, count: int) -> bool:
        assert self._limit_pct is not None  # note has seen to it
        return failed_count >= LEAST and 100 * failed_count >= self._limit_pct * count

    def _stop(self, failed_count: int, of: str, what: str) -> None:
        self.reason = (
            f"It stopped by itself: {failed_count:,} of {of} requests failed ({what}), and "
            f"{self._limit_pct:g} % is the limit."
        )


class StallWatch:
    """Notices answers that never come to their end: ``ab`` waits as long as bytes keep coming."""

    def __init__(self, *, timeout_s: float, seconds: float | None, printed_at_once: int) -> None:
        """Start with the test.

        Args:
            timeout_s: how long an answer may take.
            seconds: how long the test should take; None: it is limited by its requests.
            printed_at_once: answers that may lie between two looks at what was printed.
        """
        self._timeout_s, self._seconds = timeout_s, seconds
        self._quiet_s = GRACE_S + (1 + printed_at_once) * timeout_s
        self._began_s: float | None = None
        self._count, self._changed_s = 0, 0.0
        self.reason = ""  # one sentence, once it is to stop

    def note(self, count: int, now_s: float) -> None:
        """So many answers have begun."""
        if self._began_s is None or count != self._count:
            self._count, self._changed_s = count, now_s
        if self._began_s is None:
            self._began_s = now_s
        over_s = now_s - self._began_s - (self._seconds or 0.0)
        late = self._seconds is not None and over_s > GRACE_S + 2 * self._timeout_s
        if not self.reason and (late or now_s - self._changed_s > self._quiet_s):
            self.reason = (
                "It stopped by itself: an answer did not come to its end within the time limit "
                f"of {self._timeout_s:g} s."
            )
