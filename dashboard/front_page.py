"""The HTML every page starts from: Streamlit's own, told where its server is.

As shipped, it looks for its server under the address of the page first, which costs a
copied link two failing requests; it loads a font we do not show; and it paints some text
too faint to read. All three are known before the browser asks.
"""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

import streamlit

INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
CONTRAST = Path(__file__).with_name("contrast.css")
SCRIPT = "window.__streamlit = { BACKEND_BASE_URL: window.location.origin };"

_UNUSED_FONT = re.compile(r"<link\s+rel=\"preload\"[^>]*SourceSans[^>]*/>\s*")
_TITLE = re.compile(r"<title>.*?</title>")


@cache
def page(title: str) -> str:
    """The document, with its title right before any script runs."""
    text = _UNUSED_FONT.sub("", INDEX.read_text("utf-8"))
    text = _TITLE.sub(f"<title>{html.escape(title)}</title>", text)
    ours = f"<script>{SCRIPT}</script>\n<style>\n{CONTRAST.read_text('utf-8')}</style>"
    return text.replace("<head>", f"<head>\n{ours}", 1)
