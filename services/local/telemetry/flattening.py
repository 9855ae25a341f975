"""Steps of a query put inside each other, where each is read once.

DuckDB keeps a ``WITH`` step as something of its own while it plans, which costs more than
running a small query does; a subquery at the place where it is read is planned in passing.
"""

from __future__ import annotations

import re

_STEP = re.compile(r'\s*("?\w+"?) AS \(')
_PARENTHESIS = re.compile(r"""[()]|'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_ALL_OF = re.compile(r'SELECT \* FROM (\((?:.*)\)) AS ("?\w+"?)\s*', re.DOTALL)


def flattened(sql: str) -> str:
    """The same query without ``WITH``; as it was where a step is read more than once."""
    inlined = _inlined(sql)
    return sql if inlined is None else inlined


def _inlined(sql: str) -> str | None:
    if not sql.startswith("WITH "):
        return sql
    taken = _steps(sql)
    if taken is None:
        return None
    steps, rest = taken
    while steps:
        name, body = steps.pop(0)
        plain = _inlined(body)
        others = "\n".join([rest, *(text for _, text in steps)])
        if plain is None or not _read_once(name, others):
            return None
        inner = f"({_bare(plain)}) AS {name}"
        steps = [(each, _put(inner, name, text)) for each, text in steps]
        rest = _bare(_put(inner, name, rest))
    return rest


def _read_once(name: str, sql: str) -> bool:
    mentioned = re.findall(rf'(?<![\w"]){re.escape(name)}(?![\w"])', sql)
    return len(mentioned) == 1 and _reading(name).search(sql) is not None


def _put(inner: str, name: str, sql: str) -> str:
    return _reading(name).sub(lambda _: inner, sql)


def _reading(name: str) -> re.Pattern[str]:
    return re.compile(rf'(?<=FROM ){re.escape(name)}(?![\w"])')


def _steps(sql: str) -> tuple[list[tuple[str, str]], str] | None:
    """The named steps in their order, and what reads them."""
    steps: list[tuple[str, str]] = []
    position = len("WITH")
    while found := _STEP.match(sql, position):
        end = _closing(sql, found.end() - 1)
        if end is None:
            return None
        steps.append((found[1], sql[found.end() : end]))
        position = end + 1
        if sql[position : position + 1] != ",":
            return steps, sql[position:].lstrip()
        position += 1
    return None


def _closing(sql: str, opening: int) -> int | None:
    """Where the parenthesis that opens at `opening` closes."""
    depth = 0
    for found in _PARENTHESIS.finditer(sql, opening):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return None


def _bare(sql: str) -> str:
    """What ``SELECT * FROM (…)`` and nothing more selects from."""
    found = _ALL_OF.fullmatch(sql)
    if found is None or _closing(sql, found.start(1)) != found.end(1) - 1:
        return sql
    return found[1][1:-1]
