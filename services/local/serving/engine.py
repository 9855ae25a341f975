"""Runs one scorer: small bodies at once, large ones beside the requests that follow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from services.local.serving.scorers import Scored, Scorer

INLINE_LIMIT_BYTES = 64 * 1024  # a larger body goes to the thread, so that others do not wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the engine's model says about itself."""

    model_id: str
    core: Mapping[str, str]  # how it scores, for people
    swagger: Mapping[str, Mapping[str, Any]]  # version → document; empty when it has none


class Engine:
    """Made in full before it replaces another; requests in progress finish on the old one."""

    def __init__(self, make: Callable[[], Scorer], description: Description) -> None:
        """
        Args:
            make: loads the scorer. Called a second time, on the engine's thread, when the
                first large body arrives: a fast scorer belongs to one thread.
        """
        self.description = description
        self._make = make
        self._scorer = make()
        self._beside: Scorer | None = None if self._scorer.inline else self._scorer
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scoring")

    async def score(self, body: bytes) -> Scored:
        if self._scorer.inline and len(body) <= INLINE_LIMIT_BYTES:
            return self._scorer.score(body)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._score_beside, body)

    def warm_up(self, body: bytes) -> Scored:
        """One score before anybody waits for it."""
        return self._scorer.score(body)

    def retire(self) -> None:
        """Let the thread end once what it was given is done."""
        self._thread.shutdown(wait=False)

    def _score_beside(self, body: bytes) -> Scored:
        if self._beside is None:
            self._beside = self._make()
        return self._beside.score(body)
