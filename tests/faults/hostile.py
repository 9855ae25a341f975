"""Text that Markdown, HTML and a terminal would make something of, and whether a page did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from streamlit.testing.v1 import AppTest

HOSTILE = (
    "<script>alert(1)</script> [link](http://evil.example) ![pixel](http://evil.example/p.png)"
    " $x^2$ :material/skull: :red[red] **bold** `code` ~~gone~~ <b>b</b> # head"
    " \u202ertl \x00\x07 a\nb"
)
CLEAN = HOSTILE.replace("\x00", "").replace("\x07", "")
# What Streamlit's Markdown would make something of, unless a backslash stands before it.
INTERPRETED = {
    "a link": r"(?<!\\)\[link(?<!\\)\](?<!\\)\(",
    "an image": r"(?<!\\)!(?<!\\)\[pixel(?<!\\)\](?<!\\)\(",
    "HTML": r"(?<!\\)<(?:script|b)(?<!\\)>",
    "LaTeX": r"(?<!\\)\$x.{0,2}2(?<!\\)\$",
    "an icon": r"(?<!\\):material/skull",
    "a colour": r"(?<!\\):red(?<!\\)\[red",
    "bold": r"(?<!\\)\*(?<!\\)\*bold",
    "code": r"(?<!\\)`code(?<!\\)`",
    "struck out": r"(?<!\\)~(?<!\\)~gone",
}
MARKDOWN_FIELDS = ("body", "label", "help", "delta", "title", "caption", "placeholder")
PLAIN = ("code", "text", "json", "arrow_data_frame", "text_area", "text_input", "plotly_chart")


@dataclass
class Seen:
    """What stood on a page."""

    texts: int = 0
    hostile: int = 0  # of them
    wrong: Counter[str] = field(default_factory=Counter)  # what was made of it, and where

    def look(self, page: AppTest) -> None:
        assert not page.exception, page.exception[0].stack_trace if page.exception else ""
        for where, text in texts(page):
            self.texts += 1
            self.hostile += "skull" in text or "evil" in text
            for what, pattern in INTERPRETED.items():
                if re.search(pattern, text):
                    self.wrong[f"{what} in {where}: {text[:150]!r}"] += 1

    def report(self) -> str:
        """For a failing test: everything that was interpreted."""
        return "\n".join(f"{count} × {each}" for each, count in self.wrong.items())


def texts(page: AppTest) -> Iterator[tuple[str, str]]:
    """Every text of a page that is read as Markdown, with where it stands."""
    for element in walk(page._tree):
        proto = getattr(element, "proto", None)
        kind = getattr(element, "type", "")
        if proto is None or kind in PLAIN:
            continue
        for name in MARKDOWN_FIELDS:
            value = getattr(proto, name, None)
            if isinstance(value, str) and value:
                yield f"{kind}.{name}", value


def walk(block: object) -> Iterator[object]:
    yield block
    for child in getattr(block, "children", {}).values():
        yield from walk(child)
