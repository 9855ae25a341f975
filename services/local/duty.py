"""What the supervisor is told to keep running, and by whom.

A duty is one kind of work: deployments, training, telemetry, load tests, pipelines.
It reads the decisions in the store and says which programs should be running now; the
supervisor starts, watches and stops them, and reports how each one ended.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A process that should be running now: ``python -m module *args``."""

    key: str  # unique in the workspace: "deployment/bank"
    module: str
    args: tuple[str, ...]
    log: Path
    server: bool  # a server is started again when it ends; a worker runs once per generation
    generation: str = "1"  # a change means: stop the old one, start the new one
    health_url: str | None = None  # servers: answers 200 when well; None while unknown
    env: Mapping[str, str] = field(default_factory=dict)
    grace_s: float = 5.0  # between SIGTERM and SIGKILL


class ExitCause(StrEnum):
    ITSELF = "it ended by itself"
    UNWANTED = "it was no longer wanted"
    SHUTDOWN = "the workspace's supervisor was stopped"
    LOST = "the workspace's supervisor had died, and it with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a program ended."""

    key: str
    generation: str
    cause: ExitCause
    code: int | None  # negative: the signal that ended it; None: nobody saw
    answered: bool  # its health URL had answered at least once
    recent_count: int  # exits by itself within the last minute, this one included
    log_tail: str  # the last lines it wrote
    at: datetime

    @property
    def how(self) -> str:
        """For the middle of a sentence; of one that ended by itself."""
        if self.code is not None and self.code < 0:
            return f"was killed by signal {-self.code}"
        return f"ended with code {self.code}"

    @property
    def crash_loop(self) -> bool:
        """It ends again and again: trying once more will not help."""
        return self.recent_count > CRASHES_PER_MINUTE


CRASHES_PER_MINUTE = 3


class Duty(ABC):
    """One kind of work. Constructed as ``XDuty(home, store, clock=utc_now)``.

    The supervisor calls it from one thread, several times a second: answer from the
    store, without network or heavy imports.
    """

    @abstractmethod
    def programs(self) -> Sequence[Program]:
        """Which programs should be running now."""

    @abstractmethod
    def exited(self, exit: Exit) -> None:
        """Record what an exit means. A worker whose work is unfinished has failed,
        unless it was `ExitCause.UNWANTED`."""

    def tick(self, now: datetime) -> None:
        """Decide what is due. Called before `programs`."""
        return None
