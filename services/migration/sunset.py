"""What has ended, and when: dated facts about SDK v1, each with where it was read.

Source: the addresses of `FACTS`, as of November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

LEARN = "https://learn.microsoft.com/azure/machine-learning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One dated end."""

    what: str
    ends_on: date  # the last day it is supported
    meaning: str  # what goes on, and what to do
    source: str
    pages: tuple[str, ...] = ()  # files of pages/ that lean on it


@dataclass(frozen=True, slots=True)
class Standing:
    """A fact as of one day."""

    fact: Fact
    days_left: int  # negative: days since

    @property
    def over(self) -> bool:
        return self.days_left < 0

    @property
    def words(self) -> str:
        """“support ended 145 days ago”, “1 day left”, “last day”."""
        if self.days_left == 0:
            return "last day"
        amount = abs(self.days_left)
        days = f"{amount:,} day" + ("" if amount == 1 else "s")
        return f"ended {days} ago" if self.over else f"{days} left"


FACTS = (
    Fact(
        what="Azure Machine Learning SDK v1",
        ends_on=date(2026, 6, 30),
        meaning="Existing workflows go on working, without fixes. New work belongs on SDK v2.",
        source=f"{LEARN}/how-to-migrate-from-v1",
        pages=("training_runs", "models", "deployment_health", "pipeline_schedules"),
    ),
    Fact(
        what="Azure CLI v1 (azure-cli-ml)",
        ends_on=date(2025, 9, 30),
        meaning="Scripts that call “az ml” with the v1 extension need the “ml” extension of v2.",
        source=f"{LEARN}/how-to-migrate-from-v1",
    ),
    Fact(
        what="New ACI and AKS web services by SDK v1",
        ends_on=date(2025, 3, 31),
        meaning="Deprecated: what is deployed goes on serving; deploy anew as a managed online "
        "endpoint.",
        source=f"{LEARN}/migrate-to-v2-deploy-endpoints",
        pages=("deployment_health",),
    ),
    Fact(
        what="Dataset monitors (data drift of v1)",
        ends_on=date(2025, 9, 1),
        meaning="Retired. This dashboard compares versions itself; v2 has model monitoring.",
        source=f"{LEARN}/v1/how-to-monitor-datasets",
        pages=("dataset",),
    ),
    Fact(
        what="Telemetry by instrumentation key alone",
        ends_on=date(2025, 3, 31),
        meaning="Ingestion still works; use the connection string.",
        source="https://learn.microsoft.com/azure/azure-monitor/app/connection-strings",
        pages=("app_insights",),
    ),
)


def standings(today: date, facts: tuple[Fact, ...] = FACTS) -> tuple[Standing, ...]:
    """Every fact as of `today`, what ends or ended most recently first."""
    found = [Standing(each, (each.ends_on - today).days) for each in facts]
    return tuple(sorted(found, key=lambda each: -each.days_left))
