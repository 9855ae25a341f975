"""Lines of a server's log as entries: their severity, tracebacks kept whole, echoes folded (pure).

Reads what Azure ML's servers of several generations write and what ours does. A line nobody
can place is an entry of its own.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

ECHO_DISTANCE = 4  # entries within which a repetition counts as one


class Severity(StrEnum):
    ERROR = "Error"
    WARNING = "Warning"
    INFO = "Info"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that was logged, and how often in a row."""

    severity: Severity
    text: str  # as written, without the prefix; a traceback is part of its error
    at: datetime | None  # of the last repetition
    count: int = 1


# Ours and azureml-inference-server-http 0.4 and later.
_PLAIN = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)[,.]?(\d*)\S* ([A-Z]) \[\d+\] (\S+) - (.*)"
)
# The images before: instant, logger, level and text between bars.
_BARRED = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)[,.]?(\d*)\S* \| (\S+) \| ([A-Z]+) \| (.*)"
)
# What those images repeat of a script's output, under the request's id.
_ECHO = re.compile(r"(?:no request id|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}),(.*)")
_TRACEBACK = "Traceback (most recent call last):"
_CHAINS = ("During handling of the above exception", "The above exception was the direct cause")
_VARYING = re.compile(r"\d+(?:\.\d+)?ms(?: \d+)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ERROR_WORD = re.compile(r"^\w*(?:Error|Exception)\b|^ERROR\b|^Killed$")
_SEVERITIES = {
    "E": Severity.ERROR,
    "C": Severity.ERROR,
    "F": Severity.ERROR,
    "W": Severity.WARNING,
}


def entries(text: str) -> tuple[LogEntry, ...]:
    """The entries of a log, oldest first, every line of it in one of them."""
    found: list[LogEntry] = []
    tracing = False
    for line in text.splitlines():
        entry = _prefixed(line)
        if entry is not None:
            found.append(entry)
            tracing = line.endswith(_TRACEBACK)
        elif line.startswith((_TRACEBACK, *_CHAINS)):
            if not found or found[-1].severity is not Severity.ERROR:
                found.append(LogEntry(severity=Severity.ERROR, text=line, at=None))
            else:
                found[-1] = _with_line(found[-1], line)
            tracing = True
        elif found and (tracing or line[:1].isspace()):
            found[-1] = _with_line(found[-1], line)
            tracing = tracing and line[:1].isspace()  # the exception itself is the last line
        elif line.strip():
            found.append(_bare(line))
    return tuple(found)


def folded(entries: Iterable[LogEntry]) -> tuple[LogEntry, ...]:
    """The same entries with repetitions and echoes counted instead of shown.

    Durations, sizes and request ids do not make two entries different.
    """
    kept: list[LogEntry] = []
    near: deque[tuple[tuple[Severity, str], int]] = deque(maxlen=ECHO_DISTANCE)
    for entry in entries:
        key = (entry.severity, _VARYING.sub("…", entry.text))
        place = next((place for known, place in near if known == key), None)
        if place is None:
            near.append((key, len(kept)))
            kept.append(entry)
        else:
            kept[place] = LogEntry(
                severity=entry.severity,
                text=entry.text,
                at=entry.at or kept[place].at,
                count=kept[place].count + entry.count,
            )
    return tuple(kept)


def matching(
    entries: Iterable[LogEntry], *, text: str = "", severities: Sequence[Severity] = ()
) -> tuple[LogEntry, ...]:
    """Those that contain `text`, whatever its case, and have one of the severities, if any."""
    needle = text.strip().casefold()
    return tuple(
        entry
        for entry in entries
        if needle in entry.text.casefold() and (not severities or entry.severity in severities)
    )


def _prefixed(line: str) -> LogEntry | None:
    if (plain := _PLAIN.match(line)) is not None:
        second, fraction, letter, _, text = plain.groups()
        severity = _SEVERITIES.get(letter, Severity.INFO)
        return LogEntry(severity=severity, text=text, at=_instant(second, fraction))
    if (barred := _BARRED.match(line)) is not None:
        second, fraction, _, level, text = barred.groups()
        severity = _SEVERITIES.get(level[:1], Severity.INFO)
        return LogEntry(severity=severity, text=text, at=_instant(second, fraction))
    return None


def _bare(line: str) -> LogEntry:
    echo = _ECHO.match(line)
    text = echo.group(1) if echo else line
    severity = Severity.ERROR if _ERROR_WORD.match(text) else Severity.INFO
    return LogEntry(severity=severity, text=text, at=None)


def _with_line(entry: LogEntry, line: str) -> LogEntry:
    return LogEntry(
        severity=entry.severity, text=f"{entry.text}\n{line}", at=entry.at, count=entry.count
    )


def _instant(second: str, fraction: str) -> datetime:
    at = datetime.fromisoformat(second.replace(" ", "T")).replace(tzinfo=UTC)
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction else at
