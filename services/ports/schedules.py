"""Schedules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.domain import (
    Firing,
    Recurrence,
    Schedule,
)
from services.errors import InvalidRequestError


class Schedules(ABC):
    """When published pipelines are submitted."""

    @abstractmethod
    def list(self) -> tuple[Schedule, ...]:
        """Every schedule, disabled ones too, newest first.

        Where looking up last runs takes a request each, they are left out; `with_last_runs`
        adds them.
        """

    def with_last_runs(self, schedules: Sequence[Schedule]) -> tuple[Schedule, ...]:
        """The same schedules, each with its last run, where `list` leaves it out."""
        return tuple(schedules)

    @abstractmethod
    def get(self, schedule_id: str) -> Schedule:
        """Raises NotFoundError: no schedule has this id."""

    @abstractmethod
    def create(
        self,
        name: str,
        recurrence: Recurrence,
        *,
        pipeline_id: str | None = None,
        pipeline_endpoint_id: str | None = None,
        experiment: str,
        description: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        """A new, Active schedule of a pipeline or a pipeline endpoint.

        Raises:
            InvalidRequestError: a rule of Azure's recurrence is broken, or not exactly
                one of pipeline and endpoint is given.
            NotFoundError: the pipeline or endpoint does not exist.
        """

    @abstractmethod
    def update(
        self,
        schedule_id: str,
        *,
        name: str | None = None,
        recurrence: Recurrence | None = None,
        experiment: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Schedule:
        """Change some of it; None leaves a field as it is. Raises as `create`."""

    @abstractmethod
    def enable(self, schedule_id: str) -> None:
        """Fire from now on; due times that passed meanwhile are not made up for."""

    @abstractmethod
    def disable(self, schedule_id: str) -> None:
        """Stop firing. Runs already started go on. A pause becomes a stop."""

    def pause(
        self, schedule_ids: Sequence[str], *, reason: str, until: datetime
    ) -> tuple[str, ...]:
        """Disable them all until a time, for a maintenance. `Capability.PAUSE_SCHEDULES`.

        At `until` they are Active again by themselves, unless somebody enabled or disabled
        one meanwhile; times that fell due before are not made up for. One that is Disabled
        for good is left alone; the end of one that is paused already moves.

        Returns:
            The ids of those that are paused now.

        Raises:
            NotFoundError: no schedule has one of these ids; none is paused then.
            InvalidRequestError: no reason is given, `until` is past or more than a year
                ahead, or this back end does not resume by itself.
        """
        raise InvalidRequestError(
            "Nothing would enable the schedules of this workspace again; disable them one by one."
        )

    @abstractmethod
    def delete(self, schedule_id: str) -> None:
        """Deleting what is already gone succeeds. Its runs stay. `Capability.DELETE_SCHEDULE`.

        Raises:
            InvalidRequestError: this back end keeps every schedule; it can be disabled.
        """

    @abstractmethod
    def firings(self, schedule_id: str, *, limit: int = 100) -> tuple[Firing, ...]:
        """Due times and what became of them, newest first. `Capability.SCHEDULE_LEDGER`.

        Without that capability only firings that started a run are known, as due when they did.

        Raises:
            NotFoundError: no schedule has this id.
        """
