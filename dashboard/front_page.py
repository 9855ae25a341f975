"""The HTML every page starts from: Streamlit's own, told where its server is.

As shipped, it looks for its server under the address of the page first, which costs a
copied link two failing requests; it loads a font we do not show, and ours late; its first
paint is in another theme; and it paints some text too faint to read. All of it is known
before the browser asks.
"""

from __future__ import annotations

import html
import json
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit

from dashboard.settings import ROOT

INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
CONFIG = ROOT / ".streamlit" / "config.toml"  # Streamlit itself reads it too late for this
CONTRAST = Path(__file__).with_name("contrast.css")
SCRIPT = "window.__streamlit = {{ BACKEND_BASE_URL: window.location.origin, {themes} }};"
FONT = "<link rel='preload' as='font' type='font/woff2' crossorigin href='/{url}'>"
FONT_FACE = "@font-face {{ font-family: '{family}'; font-weight: {weight}; src: url('/{url}'); }}"
COLORS = ("primaryColor", "backgroundColor", "secondaryBackgroundColor", "textColor")

_UNUSED_FONT = re.compile(r"<link\s+rel=\"preload\"[^>]*SourceSans[^>]*/>\s*")
_TITLE = re.compile(r"<title>.*?</title>")


@cache
def page(title: str) -> str:
    """The document, with its title right before any script runs."""
    text = _UNUSED_FONT.sub("", INDEX.read_text("utf-8"))
    text = _TITLE.sub(f"<title>{html.escape(title)}</title>", text)
    theme = tomllib.loads(CONFIG.read_text("utf-8"))["theme"]
    themes = (f"{shade.upper()}_THEME: {_shade(theme, shade)}" for shade in ("light", "dark"))
    script = SCRIPT.format(themes=", ".join(themes))
    font = theme["fontFaces"][0]
    styles = f"{FONT_FACE.format(**font)}\n{CONTRAST.read_text('utf-8')}"
    ours = f"<script>{script}</script>\n{FONT.format(**font)}\n<style>\n{styles}</style>"
    return text.replace("<head>", f"<head>\n{ours}", 1)


def _shade(theme: Mapping[str, Any], shade: str) -> str:
    """What is painted before the server has told the whole theme."""
    colors = {name: theme[shade][name] for name in COLORS}
    return json.dumps({**colors, "bodyFont": theme["font"]})
