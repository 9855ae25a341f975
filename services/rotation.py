"""Replacing both keys of a deployment without one refused call, step by step.

The order makes it safe: no key is replaced while callers use it, and none is trusted
before a request with it was accepted. Where it stands is written down after each step
and looked up again before the next: whoever is killed in between goes on where it was.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.domain import KeyKind, Keys

ASKED_FOR = timedelta(minutes=2)  # how long a key may take to arrive before it is asked for again


class RotationStep(StrEnum):
    """What is to be done next."""

    TO_SECONDARY = "Move callers to the secondary key"
    ROLL_PRIMARY = "Regenerate the primary key"
    VERIFY_PRIMARY = "Verify the new primary key"
    TO_PRIMARY = "Move callers to the new primary key"
    ROLL_SECONDARY = "Regenerate the secondary key"
    VERIFY_SECONDARY = "Verify the new secondary key"
    DONE = "Both keys are new"

    @property
    def by_operator(self) -> bool:
        """Only the operator can do this, and say that it is done."""
        return self in (RotationStep.TO_SECONDARY, RotationStep.TO_PRIMARY)

    @property
    def kind(self) -> KeyKind:
        """The key this step is about."""
        first = (RotationStep.ROLL_PRIMARY, RotationStep.VERIFY_PRIMARY, RotationStep.TO_PRIMARY)
        return KeyKind.PRIMARY if self in first else KeyKind.SECONDARY

    @property
    def following(self) -> RotationStep:
        steps = list(RotationStep)
        return steps[min(steps.index(self) + 1, len(steps) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """One rotation of one deployment's keys, under way or done."""

    deployment: str
    step: RotationStep
    started_at: datetime
    step_at: datetime  # when it came to this step
    asked_at: datetime | None = None  # when the key of this step was asked for
    problem: str = ""  # why the last attempt at this step did not succeed
    ended_at: datetime | None = None  # done, or given up
    salt: str = ""
    before: str = ""  # fingerprint of the key that this step replaces

    @property
    def under_way(self) -> bool:
        return self.ended_at is None

    def asked_recently(self, now: datetime) -> bool:
        return self.asked_at is not None and now - self.asked_at < ASKED_FOR


class Rotations(ABC):
    """Guided key rotations, one at a time per deployment."""

    @abstractmethod
    def latest(self, deployment: str) -> Rotation | None:
        """The one under way, else the last that ended; None when there was none."""

    @abstractmethod
    def begin(self, deployment: str) -> Rotation:
        """Start at the first step; nothing is replaced yet.

        Raises:
            ConflictError: one is under way.
            NotFoundError: no such deployment.
            InvalidRequestError: it accepts anonymous calls and has no keys.
        """

    @abstractmethod
    def advance(self, deployment: str, step: RotationStep) -> Rotation:
        """Do a step, or note that the operator has done it.

        Args:
            step: the one that was on the screen; where another tab has done it meanwhile,
                nothing is done.

        The answer's step tells whether it succeeded; where it did not, `problem` says why.
        A key that was asked for and has not arrived is waited for, not asked for twice.

        Raises:
            NotFoundError: no rotation is under way.
        """

    @abstractmethod
    def give_up(self, deployment: str) -> None:
        """End it where it is. The keys stay as they are; none is under way: succeeds."""


def fingerprint(keys: Keys, kind: KeyKind, salt: str) -> str:
    """Tells whether a key was replaced, and nothing about it."""
    key = keys.primary if kind is KeyKind.PRIMARY else keys.secondary
    return hashlib.sha256(f"{salt}:{key}".encode()).hexdigest()[:16]
