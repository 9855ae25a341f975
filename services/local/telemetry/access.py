"""Who may send telemetry and who may ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a caller must know: to send, the key; to ask, the token."""

    instrumentation_key: str = field(repr=False)
    application_id: str
    query_token: str = field(repr=False)
