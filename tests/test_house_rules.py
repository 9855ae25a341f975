"""Rules a reader would otherwise have to check by eye."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.source_files import ROOT, python_files, tree, where

SOURCE = python_files("dashboard", "pages", "services")
ON_SCREEN = python_files("dashboard", "pages")


def _is_nothing(node: ast.expr | None) -> bool:
    """None, an empty literal, or an empty container made by a call."""
    match node:
        case None | ast.Constant(value=None | ""):
            return True
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]) | ast.Set(elts=[]):
            return True
        case ast.Call(func=function, args=[], keywords=[]):
            return ast.unparse(function).split(".")[-1] in {
                *("list", "dict", "tuple", "set", "frozenset", "DataFrame", "Series"),
            }
    return False


BROAD = {
    *("Exception", "BaseException", "ServiceError", "UnavailableError"),
    *("RequestException", "AzureMLException", "ServiceException"),
}
ALLOWED = {
    "services/local/supervisor.py",  # one kind of work must not take the others down
    "services/azure/sdk_errors.py",  # the text of an error that cannot even be told
}


def _broad(handler: ast.ExceptHandler) -> bool:
    """Catches an outage or a bug, not one expected kind."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(kind).split(".")[-1] in BROAD for kind in kinds)


def _swallowed(handler: ast.ExceptHandler) -> bool:
    """The handler answers nothing, so that an outage would read as no data."""
    last = handler.body[-1]
    if len(handler.body) == 1 and isinstance(last, ast.Pass | ast.Continue):
        return handler.type is None or ast.unparse(handler.type).endswith("Exception")
    if not isinstance(last, ast.Return):
        return False
    told = len(handler.body) > 1 and last.value is None  # said on the screen, then left
    return _is_nothing(last.value) and not told


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("try: x()\nexcept Exception: y = []", False),
        ("def f():\n try: x()\n except Exception: return []", True),
        ("def f():\n try: x()\n except ServiceError as e: return None", True),
        ("def f():\n try: x()\n except (OSError, Exception): return pd.DataFrame()", True),
        ("def f():\n try: x()\n except: return {}", True),
        ("try: x()\nexcept Exception: pass", True),
        ("def f():\n try: x()\n except ServiceError as e:\n  st.error(e)\n  return", False),
        ("def f():\n try: x()\n except ServiceError as e:\n  log(e)\n  return []", True),
        ("def f():\n try: x()\n except NotFoundError: return None", False),
        ("def f():\n try: x()\n except Exception as e: raise Y() from e", False),
    ],
)
def test_the_rule_knows_a_swallowed_error(source, expected):
    handlers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)]

    assert any(_broad(each) and _swallowed(each) for each in handlers) is expected


def test_no_failure_is_turned_into_nothing():
    wrong = [
        where(path, node)
        for path in SOURCE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _broad(node) and _swallowed(node)
        if path.relative_to(ROOT).as_posix() not in ALLOWED
    ]
    assert wrong == []


def _keywords(name: str) -> list[str]:
    return [
        where(path, node)
        for path in ON_SCREEN
        for node in ast.walk(tree(path))
        if isinstance(node, ast.keyword) and node.arg == name
    ]


@pytest.mark.parametrize(
    "name",
    ["unsafe_allow_html", "unsafe_allow_javascript", "use_container_width", "use_column_width"],
)
def test_no_page_uses_what_is_unsafe_or_gone(name):
    assert _keywords(name) == []


def test_only_reads_remember_and_only_the_session_holds():
    wrong = [
        where(path, node)
        for path in ON_SCREEN
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and (
            (node.attr == "cache_data" and path.name != "reads.py")
            or (node.attr == "cache_resource" and path.name != "session.py")
        )
    ]
    assert wrong == []


def test_every_chart_and_table_can_be_heard():
    silent = [
        where(path, node)
        for path in ON_SCREEN
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"plotly_chart", "dataframe"}
        and "alt" not in {keyword.arg for keyword in node.keywords}
    ]
    assert silent == []


WIDGETS = {
    *("button", "checkbox", "toggle", "radio", "selectbox", "multiselect", "slider", "pills"),
    *("select_slider", "text_input", "number_input", "text_area", "date_input", "time_input"),
    *("file_uploader", "data_editor", "download_button", "segmented_control", "menu_button"),
}


def _modules(path: Path) -> set[str]:
    """Names that are modules of ours in this file, so that ``flow_runner.button`` is no widget."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_every_widget_keeps_its_identity():
    nameless = [
        where(path, node)
        for path in ON_SCREEN
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WIDGETS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id not in _modules(path)
        and "key" not in {keyword.arg for keyword in node.keywords}
        and None not in {keyword.arg for keyword in node.keywords}
    ]
    assert nameless == []


def test_every_file_says_what_lives_in_it():
    silent = [
        where(path, tree(path))
        for path in SOURCE
        if tree(path).body and not ast.get_docstring(tree(path))
    ]
    assert silent == []
