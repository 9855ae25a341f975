"""Where telemetry is sent: Application Insights' connection string."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from services.errors import InvalidRequestError

PUBLIC_ENDPOINT = "https://dc.services.visualstudio.com/"  # when the string names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a connection string says.

    Source: learn.microsoft.com, "Connection strings in Application Insights".
    """

    instrumentation_key: str = field(repr=False)
    ingestion_endpoint: str = PUBLIC_ENDPOINT  # ends with a slash
    application_id: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``InstrumentationKey=…;IngestionEndpoint=…;ApplicationId=…``.

        Raises:
            InvalidRequestError: it names no instrumentation key, or no HTTP address.
        """
        pairs = [pair.partition("=") for pair in text.split(";") if pair.strip()]
        found = {name.strip().lower(): value.strip() for name, _, value in pairs}
        key = found.get("instrumentationkey", "")
        endpoint = found.get("ingestionendpoint") or PUBLIC_ENDPOINT
        if not key:
            raise InvalidRequestError("A connection string names an InstrumentationKey.")
        if not endpoint.startswith(("http://", "https://")):
            raise InvalidRequestError("An IngestionEndpoint starts with http:// or https://.")
        return cls(
            instrumentation_key=key,
            ingestion_endpoint=endpoint.rstrip("/") + "/",
            application_id=found.get("applicationid", ""),
        )

    def __str__(self) -> str:
        """The string itself. It holds the key: not for logs."""
        parts = {
            "InstrumentationKey": self.instrumentation_key,
            "IngestionEndpoint": self.ingestion_endpoint,
            "ApplicationId": self.application_id,
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)
