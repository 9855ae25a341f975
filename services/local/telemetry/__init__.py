"""A local workspace's telemetry: the store, the server over it, and the port that asks it."""

from services.local.telemetry.port import LocalTelemetry

__all__ = ["LocalTelemetry"]
