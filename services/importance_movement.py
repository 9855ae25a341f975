"""How feature importance moved between two models: ranks, and features that came or went (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

Importances = Sequence[tuple[str, float]]  # of one model, largest first


class Movement(StrEnum):
    UP = "up"
    DOWN = "down"
    SAME = "same"
    NEW = "new"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One feature, before and after. Shares are of the model's whole importance."""

    feature: str
    movement: Movement
    rank_before: int | None  # from 1
    rank_after: int | None
    share_before: float
    share_after: float

    @property
    def steps(self) -> int:
        """Ranks it rose by; negative when it fell, 0 for one that came or went."""
        if self.rank_before is None or self.rank_after is None:
            return 0
        return self.rank_before - self.rank_after


def movements(before: Importances, after: Importances) -> tuple[Moved, ...]:
    """Every feature either model knows: those that moved first, the farthest in front.

    A feature of no importance counts as absent. Ranks are among the features both models
    have, so that one newcomer does not move all the others.
    """
    old, new = _shares(before), _shares(after)
    both = old.keys() & new.keys()
    rank_before = _ranks(name for name in old if name in both)
    rank_after = _ranks(name for name in new if name in both)
    found = [
        Moved(
            feature=name,
            movement=_movement(rank_before.get(name), rank_after.get(name), name in new),
            rank_before=rank_before.get(name),
            rank_after=rank_after.get(name),
            share_before=old.get(name, 0.0),
            share_after=new.get(name, 0.0),
        )
        for name in dict.fromkeys((*new, *old))
    ]
    return tuple(sorted(found, key=_order))


def _shares(importances: Importances) -> dict[str, float]:
    known = sorted(
        ((name, value) for name, value in importances if value > 0), key=lambda each: -each[1]
    )
    total = sum(value for _, value in known)
    return {name: value / total for name, value in known}


def _ranks(names: Iterable[str]) -> dict[str, int]:
    return {name: rank for rank, name in enumerate(names, start=1)}


def _movement(before: int | None, after: int | None, present: bool) -> Movement:
    if before is None or after is None:
        return Movement.NEW if present else Movement.VANISHED
    if before == after:
        return Movement.SAME
    return Movement.UP if after < before else Movement.DOWN


def _order(moved: Moved) -> tuple[bool, bool, int, float]:
    came_or_went = moved.movement in (Movement.NEW, Movement.VANISHED)
    weight = max(moved.share_before, moved.share_after)
    return moved.movement is Movement.SAME, not came_or_went, -abs(moved.steps), -weight
