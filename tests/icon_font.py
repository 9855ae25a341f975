"""The icon font with the icons in use only: a tenth of what Streamlit's weighs.

``make icons`` writes it anew, after an icon was added or Streamlit changed. It keeps the
name of Streamlit's file, which carries a hash: a newer font is never replaced by an old one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import streamlit
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from streamlit.material_icon_names import ALL_MATERIAL_ICONS

from dashboard.compression import BUNDLE, OWN_FONTS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("dashboard", "pages", "services")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_ "  # what the names are written with
_WORD = re.compile(r"[a-z0-9_]+")


def original() -> Path:
    """Streamlit's own icon font."""
    (path,) = (BUNDLE / "media").glob("MaterialSymbols-Rounded.*.woff2")
    return path


def names_in_use() -> set[str]:
    """Every word that stands alone in our code or in Streamlit's and names an icon.

    More than are drawn, as `list` or `key` is rarely an icon; but none that is drawn is left out.
    """
    return set(_words()) & ALL_MATERIAL_ICONS


def _words() -> Iterator[str]:
    files = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")]
    for path in [*files, *Path(streamlit.__file__).parent.glob("elements/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from _quoted(node.value)
    for path in BUNDLE.rglob("*.js"):
        text = path.read_text("utf-8")
        yield from re.findall(r":material/([a-z0-9_]+):", text)
        yield from re.findall(r"[\"'`]([a-z0-9_]{2,40})[\"'`]", text)


def _quoted(text: str) -> Iterator[str]:
    """An icon is written :material/name:, or alone where the rest is put around it."""
    yield from re.findall(r":material/([a-z0-9_]+):", text)
    if _WORD.fullmatch(text):
        yield text


def ligatures(font: TTFont) -> dict[str, str]:
    """The glyph that each name is drawn as."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items() if code < 128}
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, endings in table.ligatures.items():
                for ending in endings:
                    name = "".join(letters[each] for each in (first, *ending.Component))
                    found[name] = ending.LigGlyph
    return found


def write() -> Path:
    """Write the reduced font to where the dashboard serves it from."""
    source = original()
    font = TTFont(source)
    drawn = ligatures(font)
    options = Options(flavor="woff2", layout_closure=False, layout_features=["*"])
    subsetter = Subsetter(options)
    wanted = sorted(drawn[name] for name in names_in_use() & drawn.keys())
    subsetter.populate(text=LETTERS, glyphs=wanted)
    subsetter.subset(font)
    for old in OWN_FONTS.glob("MaterialSymbols-Rounded.*.woff2"):
        old.unlink()
    target = OWN_FONTS / source.name
    font.flavor = "woff2"
    font.save(target)
    return target


if __name__ == "__main__":
    written = write()
    print(f"{written.relative_to(ROOT)}: {written.stat().st_size:,} bytes")  # noqa: T201
