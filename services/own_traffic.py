"""Who sent a request, by the id its caller gave it: a load test, a probe, or another (pure)."""

from __future__ import annotations

from services.alerts.records import PROBE_PREFIX
from services.apache_bench import TAG_PREFIX

PREFIXES = (TAG_PREFIX, PROBE_PREFIX)


def sender(client_id: str | None) -> str:
    """In words; empty for a caller who gave no id."""
    if not client_id or not isinstance(client_id, str):
        return ""
    if client_id.startswith(TAG_PREFIX):
        return f"load test {client_id.removeprefix(TAG_PREFIX)}"
    return "probe" if client_id.startswith(PROBE_PREFIX) else client_id
