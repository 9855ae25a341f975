"""Who may score: the two keys of a deployment, and keys issued for a short time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

_SCHEME = b"bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """Replaced as a whole when a key changes, so that no request meets half of a change."""

    required: bool
    primary: bytes = field(default=b"", repr=False)
    secondary: bytes = field(default=b"", repr=False)
    temporary: Mapping[str, datetime] = field(default_factory=dict, repr=False)  # SHA-256 → end

    def accepts(self, authorization: bytes, now: datetime) -> bool:
        """Whether an ``Authorization`` header lets its sender score at `now`.

        Takes as long for a wrong key as for a right one.
        """
        if not self.required:
            return True
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            return False
        key = authorization[len(_SCHEME) :].strip()
        if not key:
            return False
        first = hmac.compare_digest(key, self.primary)
        second = hmac.compare_digest(key, self.secondary)
        return first or second or self._lent(key, now)

    def _lent(self, key: bytes, now: datetime) -> bool:
        if not self.temporary:
            return False
        ends_at = self.temporary.get(hashlib.sha256(key).hexdigest())
        return ends_at is not None and now < ends_at
