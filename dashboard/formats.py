"""Numbers and instants as text, for people. Pure: whoever calls says the zone and the time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

NOTHING = "–"


def count(number: float | None) -> str:
    """32950 → ``32,950``."""
    return NOTHING if number is None else f"{number:,.0f}"


def plural(number: int, singular: str, plural: str = "") -> str:
    """``1 row``, ``2 rows``; `plural` for the irregular ones."""
    return f"{count(number)} {singular if number == 1 else plural or singular + 's'}"


def compact(number: float | None) -> str:
    """32950 → ``33 k``; under a thousand as it is."""
    if number is None:
        return NOTHING
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(number) >= limit * 0.9995:
            return f"{number / limit:.3g}{unit}"
    return f"{number:.3g}"


def percent(share: float | None, *, digits: int = 1) -> str:
    """0.07 → ``7.0 %``."""
    return NOTHING if share is None else f"{share * 100:.{digits}f} %"


def number(value: float | None) -> str:
    """A value of some data, to six significant digits: ``5,099.1``, ``0.634``."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def metric(value: float | None) -> str:
    """A model's score, to the fourth decimal: ``0.9464``."""
    return NOTHING if value is None else f"{value:,.4f}"


def milliseconds(value: float | None) -> str:
    """How long a request took: ``0.84 ms``, ``12.3 ms``, ``250 ms``, ``2.92 s``."""
    if value is None:
        return NOTHING
    if value >= 999.5:
        return seconds(value / 1000)
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} ms"


def seconds(value: float | None) -> str:
    """``0.25 s``, ``2.92 s``, ``48 s``, ``2 min 5 s``, ``3 h 12 min``, ``4 d 2 h``."""
    if value is None:
        return NOTHING
    if value < 59.5:
        return f"{value:.2f} s" if value < 9.995 else f"{value:.0f} s"
    return duration(timedelta(seconds=value))


def duration(length: timedelta | None) -> str:
    """The two largest units: ``48 s``, ``2 min 5 s``, ``3 h 12 min``, ``4 d 2 h``."""
    if length is None:
        return NOTHING
    total = max(0, round(length.total_seconds()))
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    for size, unit in units:
        amount, total = divmod(total, size)
        if amount:
            parts.append(f"{amount} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def size(byte_count: float | None) -> str:
    """4200000 → ``4.2 MB``: decimal units, as in a file manager."""
    if byte_count is None:
        return NOTHING
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if byte_count >= limit:
            return f"{byte_count / limit:.1f} {unit}"
    return f"{byte_count:.0f} B"


def age(at: datetime | None, *, now: datetime) -> str:
    """``just now``, ``3 min ago``, ``in 2 h``, ``4 d ago``: the largest unit only."""
    if at is None:
        return NOTHING
    length = abs(now - at)
    if length < timedelta(seconds=5):
        return "just now"
    words = duration(length).split(" ")
    text = " ".join(words[:2])
    return f"{text} ago" if at <= now else f"in {text}"


def instant(at: datetime | None, *, zone: tzinfo, now: datetime) -> str:
    """In the viewer's zone; the date only when it is another day, the year when another year."""
    if at is None:
        return NOTHING
    there, today = at.astimezone(zone), now.astimezone(zone)
    if there.date() == today.date():
        return f"{there:%H:%M:%S}"
    if there.year == today.year:
        return f"{there.day} {there:%b, %H:%M}"
    return f"{there.day} {there:%b %Y, %H:%M}"


def utc(at: datetime | None) -> str:
    """The same instant for a hover: ``2026-11-22 14:05:09 UTC``."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def plain(text: str) -> str:
    """Text of unknown origin inside Markdown: shown as it stands, never interpreted."""
    return "".join(f"\\{character}" if character in _MARKUP else character for character in text)


def sentence(text: str) -> str:
    """A sentence of ours that may quote a file or a caller: the quote stays text."""
    quoted = "".join(f"\\{each}" if each in _QUOTED else each for each in text)
    return _AT_A_LINES_START.sub(r"\1\\\2", _ICON.sub(r"\\:", quoted))


_ICON = re.compile(r":(?=[a-z_]+/?[a-z_]*(?:\\\[|:))")  # ``:material/…:`` and ``:red[…]``
_AT_A_LINES_START = re.compile(r"(\n\s*)([#+=-])")  # of the quote: no heading, list or rule
_QUOTED = frozenset("\\`*[]<>$~")
_MARKUP = frozenset("\\`*_{}[]()<>#+-.!|~:$")
