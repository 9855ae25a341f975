"""The store behind the local telemetry server, and KQL over it."""
