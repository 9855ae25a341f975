"""Filters as run history understands them: comparisons, ``and``, ``or`` and brackets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(r'\(|\)|"(?:[^"\\]|\\.)*"|[^\s()]+')


def matches(item: Mapping[str, Any], text: str | None) -> bool:
    """Whether an item passes a filter; none lets everything pass.

    Names are looked up without regard to case: ``ParentRunId`` finds ``parentRunId``.
    """
    if not text:
        return True
    return _Filter(TOKEN.findall(text)).read(item)


class _Filter:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def read(self, item: Mapping[str, Any]) -> bool:
        answer = self._either(item)
        if self._tokens:
            raise ValueError(f"a filter ends with {self._tokens}")
        return answer

    def _either(self, item: Mapping[str, Any]) -> bool:
        answer = self._both(item)
        while self._tokens and self._tokens[0].lower() == "or":
            self._tokens.pop(0)
            answer = self._both(item) or answer
        return answer

    def _both(self, item: Mapping[str, Any]) -> bool:
        answer = self._one(item)
        while self._tokens and self._tokens[0].lower() == "and":
            self._tokens.pop(0)
            answer = self._one(item) and answer
        return answer

    def _one(self, item: Mapping[str, Any]) -> bool:
        if self._tokens[0] == "(":
            self._tokens.pop(0)
            answer = self._either(item)
            assert self._tokens.pop(0) == ")", "a bracket is not closed"
            return answer
        name, operator, value = (self._tokens.pop(0) for _ in range(3))
        found, wanted = _at(item, name), None if value == "null" else value.strip('"')
        return (found == wanted) if operator == "eq" else (found != wanted)


def _at(item: Mapping[str, Any], path: str) -> Any:
    name, _, rest = path.partition("/")
    found = next((each for key, each in item.items() if key.lower() == name.lower()), None)
    return _at(found or {}, rest) if rest else found
