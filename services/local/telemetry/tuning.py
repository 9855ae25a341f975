"""The SQL of a translated query, rewritten to mean the same at less cost.

Half of a small query's time goes into planning it: a view of forty columns read through a chain
of ``SELECT *``. Each rewriting leaves the text as it is where its form is not the expected one,
and none looks into text literals.
"""

from __future__ import annotations

import re

import duckdb

from services.local.telemetry import tables
from services.local.telemetry.flattening import flattened


def tuned(sql: str) -> str:
    """The same answer, planned and run faster."""
    hidden, texts = _hidden(sql)
    spelled = _spelled(hidden)
    for cheaper in (_pruned(spelled), spelled):
        narrow = _shown(_merged(flattened(_narrowed(cheaper))), texts)
        if _same_columns(narrow, sql):
            return narrow
    return _shown(spelled, texts)


# --- literals ---------------------------------------------------------------------

_TEXT = re.compile(r"'(?:[^']|'')*'")
_HIDDEN = re.compile(r"'\x00(\d+)'")


def _hidden(sql: str) -> tuple[str, list[str]]:
    """The literals that might look like SQL taken out: names in SQL are in double quotes."""
    texts: list[str] = []

    def hide(found: re.Match[str]) -> str:
        if '"' not in found[0] and "\x00" not in found[0]:
            return found[0]
        if found[0] not in texts:
            texts.append(found[0])
        return f"'\x00{texts.index(found[0])}'"

    return _TEXT.sub(hide, sql), texts


def _shown(sql: str, texts: list[str]) -> str:
    return _HIDDEN.sub(lambda found: texts[int(found[1])], sql)


# --- expressions ------------------------------------------------------------------

_LITERAL = re.compile(
    r"COALESCE\(TRY_CAST\('(\d{4}-\d\d-\d\dT[\d:.]+)Z' AS TIMESTAMPTZ\) AT TIME ZONE 'UTC',"
    r" try_strptime\(CAST\('\1Z' AS VARCHAR\), \[[^\]]*\]\)\)"
)
_BIN = re.compile(
    r"to_timestamp\(floor\(epoch\((\"\w+\")\) / epoch\(INTERVAL '(\w+)'\)\)"
    r" \* epoch\(INTERVAL '\2'\)\) AT TIME ZONE 'UTC'"
)
_LENGTH = re.compile(r"(\d+)(d|h|m|s|ms)")
_MICROSECONDS = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1000,
}
_YEAR_1 = 62_135_596_800_000_000  # microseconds from there to 1970
_PERCENTILE = re.compile(r"quantile_disc\((\"\w+\"), CAST\((\d+) AS BIGINT\) / 100\.0\)")


def _spelled(sql: str) -> str:
    """Constants spelled as constants and bins as whole numbers of microseconds.

    The engine then skips blocks outside the window and halves the cost of grouping.
    """
    sql = _together(_LITERAL.sub(r"TIMESTAMP '\1Z'", sql))
    return _BIN.sub(lambda found: _bin(found[1], found[2]) or found[0], sql)


def _bin(column: str, length: str) -> str:
    """Kusto counts bins from the year 1, so that weeks begin on Mondays."""
    found = _LENGTH.fullmatch(length)
    if found is None or not (width := int(found[1]) * _MICROSECONDS[found[2]]):
        return ""
    since = f"epoch_us({column}) + {_YEAR_1}"
    return f"make_timestamp(({since}) // {width} * {width} - {_YEAR_1})"


def _together(sql: str) -> str:
    """Percentiles of one column computed at once: one sort of it, not one for each."""
    ranks: dict[str, list[str]] = {}
    for column, rank in _PERCENTILE.findall(sql):
        if rank not in ranks.setdefault(column, []):
            ranks[column].append(rank)

    def taken(found: re.Match[str]) -> str:
        column, rank = found.groups()
        shares = ", ".join(f"{int(each) / 100}" for each in ranks[column])
        return f"quantile_disc({column}, [{shares}])[{ranks[column].index(rank) + 1}]"

    return _PERCENTILE.sub(taken, sql)


# --- columns ----------------------------------------------------------------------

_READ = re.compile(r'SELECT \* FROM "(\w+)"')
_STAR = re.compile(r"SELECT \*(?: FROM|, )|count\(\*\)|(?<=[\w)\"]) \* (?=[\w(\"])", re.IGNORECASE)
_WHOLE_ROWS = re.compile(
    r"\b(?:DISTINCT|UNION|JOIN|INTERSECT|EXCEPT|EXCLUDE|COLUMNS)\b|[(,] ?_\w+ ?[),]"
)
_STEP = re.compile(
    r"(_s\d+) AS \((SELECT [^()']+ FROM stored\.\"\w+\")\),\s+(_s\d+) AS \(SELECT \* FROM \1 WHERE "
)
_RENAMED = re.compile(r'SELECT ((?:"\w+" AS "\w+", )*"\w+" AS "\w+") FROM ')
_ALIASED = '"cloud_RoleName" AS "service"'
_IS_TEXT = re.compile(
    r"(?<=WHERE )CASE WHEN typeof\(\"service\"\) = 'JSON' THEN coalesce\(\(coalesce\(\"service\""
    r" ->> '\$', ''\) = ('(?:[^']|'')*')\), FALSE\)"
    r" ELSE coalesce\(\(\"service\" = \1\), FALSE\) END(?=\)[,\n])"
)
_LAST = re.compile(
    r",\s+(_s\d+) AS \(SELECT \* FROM (_s\d+) (ORDER BY [^()']+)\)\s+SELECT \* FROM \1\s*$"
)


def _pruned(sql: str) -> str:
    """Without the columns that a step names and nothing reads.

    Whether the columns of the answer are still the same, the caller has to see.
    """
    bare = _TEXT.sub("''", sql)
    if _WHOLE_ROWS.search(bare) or "*" in _STAR.sub("", bare):
        return sql

    def kept(found: re.Match[str]) -> str:
        named = found[1].split(", ")
        read = [each for each in named if sql.count(each.rpartition(" AS ")[2]) > 1]
        return f"SELECT {', '.join(read or named[:1])} FROM "

    return _RENAMED.sub(kept, sql)


def _narrowed(sql: str) -> str:
    """Reads the stored table's columns that are named, and not the whole view.

    Whether the columns of the answer are still the same, the caller has to see.
    """
    bare = _TEXT.sub("''", sql)
    if _WHOLE_ROWS.search(bare) or "*" in _STAR.sub("", bare):
        return sql
    named = set(re.findall(r'"(\w+)"', bare))

    def read(found: re.Match[str]) -> str:
        table = found[1]
        if table not in tables.STORED or named & (
            set(tables.columns(table)) - {*tables.STORED[table]}
        ):
            return found[0]
        columns = [f'"{name}"' for name in tables.STORED[table] if name in named]
        return f'SELECT {", ".join(columns)} FROM stored."{table}"' if columns else found[0]

    sql = _READ.sub(read, sql)
    sql = _STEP.sub(r"\3 AS (\2 WHERE ", sql)
    if bare.count('AS "service"') == 1 and _ALIASED in bare:  # a text, so it is no JSON
        sql = _IS_TEXT.sub(r'("service" = \1)', sql)
    return _LAST.sub(r"\nSELECT * FROM \2 \3", sql)


_NAMES = r'(?:"\w+" AS "\w+", )*"\w+" AS "\w+"'
_DURING = (
    r"FROM stored\.\"\w+\" WHERE \(\(\"timestamp\" >= TIMESTAMP '[^']+'\)"
    r" AND \(\"timestamp\" < TIMESTAMP '[^']+'\)\)"
)
_READ_FIRST = re.compile(rf'(SELECT {_NAMES}) FROM \(SELECT (?:"\w+", )*"\w+" ({_DURING})\) AS \w+')
_CHOSEN_LAST = re.compile(
    rf"SELECT \* FROM \((SELECT {_NAMES} {_DURING})\) AS \w+"
    r" WHERE \(\"service\" = ('(?:[^']|'')*')\)"
)


def _merged(sql: str) -> str:
    """Reading, renaming and choosing one deployment as one step, where they follow each other."""

    def chosen(found: re.Match[str]) -> str:
        if _ALIASED not in found[1]:
            return found[0]
        return f'{found[1]} AND ("cloud_RoleName" = {found[2]})'

    return _CHOSEN_LAST.sub(chosen, _READ_FIRST.sub(r"\1 \2", sql))


def _same_columns(one: str, other: str) -> bool:
    """Whether two queries answer columns of the same names and types."""
    if one == other:
        return True
    with duckdb.connect() as empty:
        for statement in tables.schema_statements():
            empty.execute(statement)
        try:
            described = [empty.execute(f"DESCRIBE {sql}").fetchall() for sql in (one, other)]
        except duckdb.Error:
            return False
    return described[0] == described[1]
