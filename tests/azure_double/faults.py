"""Trouble on request: what Azure answers when it is not well."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Fault:
    """Applies to requests whose ``METHOD host/path`` matches `pattern`.

    Exactly one of the effects is set; `delay_s` may accompany any of them.
    """

    pattern: str
    status: int | None = None  # answer this, with Azure's error body
    body: str | None = None  # answer 200 with these bytes: garbage JSON, a missing key
    remove: str | None = None  # answer as usual, without this key at any depth
    drop: bool = False  # close the connection without an answer
    delay_s: float = 0.0
    retry_after_s: int | None = None
    times: int | None = None  # None: until it is cleared
    hits: int = field(default=0)

    def applies(self, request: str) -> bool:
        if self.times is not None and self.hits >= self.times:
            return False
        if not re.search(self.pattern, request):
            return False
        self.hits += 1
        return True
