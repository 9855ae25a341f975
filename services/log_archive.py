"""Tails of one log, read now and then, joined into one history: no repeats, and gaps marked (pure).

A tail is the end of a log. Two tails that follow each other overlap unless more was logged
in between than one tail holds: then lines are missing, and nobody may think that they are not.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.domain import LogTail

LINE_LIMIT = 4_000  # characters that are kept of a line
TAIL_LINES = 5_000  # that are read at once: Azure's own limit
KEPT_LINES = 50_000  # of each deployment
SURE_LINES = 3  # fewer that carry no instant may be alike by chance

_INSTANT = re.compile(r"\d\d:\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Joined:
    """What a tail adds to what is known."""

    new: tuple[str, ...]
    gap: bool  # lines are missing before them


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedLine:
    """A line, or a gap in place of lines nobody read."""

    read_at: datetime
    text: str
    gap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedLog:
    """What was found in an archive, and how much it holds."""

    lines: tuple[ArchivedLine, ...]  # oldest first; gaps among them
    found_count: int  # lines that match, those beyond the limit included
    line_count: int
    gap_count: int
    since: datetime | None  # of the first line; None: nothing is kept
    read_at: datetime | None  # of the last one


class LogArchives(ABC):
    """What was read of the deployments' logs over time, kept on this machine."""

    @abstractmethod
    def keep(self, deployment: str, tail: LogTail) -> int:
        """Join a tail to what is kept; how many lines that added."""

    @abstractmethod
    def search(self, deployment: str, text: str = "", *, limit: int = 500) -> ArchivedLog:
        """The latest lines that hold `text`, whatever its case; empty for an unknown name.

        Gaps between them come with them.
        """


def lines(text: str) -> tuple[str, ...]:
    """The whole lines of a tail: the last one counts once it has ended."""
    found = text.split("\n")[:-1]
    return tuple(line.rstrip("\r")[:LINE_LIMIT] for line in found)


def joined(known: Sequence[str], tail: Sequence[str]) -> Joined:
    """What `tail` adds after `known`, which has been read without a gap."""
    if not known or not tail:
        return Joined(tuple(tail), gap=False)
    count = overlap(known, tail)
    if not _sure(tail[:count], whole=count == len(tail)):
        return Joined(tuple(tail), gap=True)
    return Joined(tuple(tail[count:]), gap=False)


def overlap(known: Sequence[str], tail: Sequence[str]) -> int:
    """How many lines at the end of `known` are those `tail` begins with, as many as possible.

    Source: Knuth, Morris and Pratt; each line is looked at a few times at most.
    """
    borders = _borders(tail)
    matched = 0
    for line in known[-len(tail) :]:
        while matched and (matched == len(tail) or line != tail[matched]):
            matched = borders[matched - 1]
        if line == tail[matched]:
            matched += 1
    return matched


def _borders(tail: Sequence[str]) -> list[int]:
    """Of each beginning of `tail`, the longest shorter beginning it ends with."""
    borders = [0] * len(tail)
    for place in range(1, len(tail)):
        length = borders[place - 1]
        while length and tail[place] != tail[length]:
            length = borders[length - 1]
        borders[place] = length + (tail[place] == tail[length])
    return borders


def _sure(shared: Sequence[str], *, whole: bool) -> bool:
    """Whether lines two tails share are the same lines, and not only alike."""
    if not shared:
        return False
    return whole or len(shared) >= SURE_LINES or any(map(_INSTANT.search, shared))
