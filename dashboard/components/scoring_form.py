"""One row as a form: a widget per column of the data contract."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import formats, scoring_draft
from services.domain import ColumnContract, ColumnType, DataContract, RowProblem

COLUMNS = 4
MISSING_WORD = "(empty)"
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)


def show(contract: DataContract, problems: Sequence[RowProblem]) -> None:
    """Draw the form for the row being edited, with each objection below its field.

    Args:
        problems: of every row; those of other rows are counted, not drawn.
    """
    payload, row = scoring_draft.current(), scoring_draft.row()
    here = {
        problem.column: problem for problem in reversed(problems) if problem.row in (None, row + 1)
    }
    words = [column for column in contract.columns if column.type not in _NUMBERS]
    numbers = [column for column in contract.columns if column.type in _NUMBERS]
    for title, group in (("Categories", words), ("Numbers", numbers)):
        if group:
            st.caption(title)
            _grid(group, payload.rows[row], here)
    for problem in here.values():
        if problem.column not in {column.name for column in contract.columns}:
            _objection(problem)


def _grid(
    columns: Sequence[ColumnContract], row: Mapping[str, Any], problems: Mapping[str, RowProblem]
) -> None:
    for start in range(0, len(columns), COLUMNS):
        line = columns[start : start + COLUMNS]
        places = st.columns(COLUMNS, gap="small", vertical_alignment="bottom")
        for place, column in zip(places, line, strict=False):
            with place:
                _field(column, row.get(column.name))
        for column in line:
            if problem := problems.get(column.name):
                _objection(problem)


def _objection(problem: RowProblem) -> None:
    color, icon = ("red", "error") if problem.blocking else ("orange", "warning")
    message = problem.message.partition(": ")[2] if problem.row is not None else problem.message
    st.caption(f":{color}[:material/{icon}: {formats.plain(message)}]")


def _field(column: ColumnContract, value: Any) -> None:
    if column.type in _NUMBERS:
        _number(column, value)
    elif column.type is ColumnType.BOOLEAN:
        _choice(column, [True, False], value)
    elif column.categories:
        _choice(column, sorted(column.categories), value, open_ended=True)
    else:
        _text(column, value)


def _number(column: ColumnContract, value: Any) -> None:
    number = _as_number(value)
    whole = column.type is ColumnType.INTEGER and (number is None or float(number).is_integer())
    key = f"{_key(column)}.{'whole' if whole else 'decimal'}"
    st.session_state[key] = number if number is None else int(number) if whole else float(number)
    st.number_input(
        f"{_name(column)}{_hint(column)}",
        value=None if column.nullable else "min",  # None is what lets a field be cleared
        step=1 if whole else _step(column),
        format="%d" if whole else "%g",
        key=key,
        placeholder=MISSING_WORD,
        on_change=_take,
        args=(column.name, key),
    )


def _choice(
    column: ColumnContract, options: Sequence[Any], value: Any, *, open_ended: bool = False
) -> None:
    known = list(options)
    if value is not None and value not in known:
        known.append(value)  # unusual, and still what the row holds
    st.session_state[_key(column)] = value
    st.selectbox(
        _name(column),
        known,
        index=None if column.nullable or value is None else 0,
        format_func=str,
        key=_key(column),
        placeholder=MISSING_WORD,
        accept_new_options=open_ended,
        on_change=_take,
        args=(column.name, _key(column)),
    )


def _text(column: ColumnContract, value: Any) -> None:
    st.session_state[_key(column)] = "" if value is None else str(value)
    st.text_input(
        _name(column),
        key=_key(column),
        placeholder="2024-05-01T09:00:00" if column.type is ColumnType.DATETIME else MISSING_WORD,
        on_change=_take,
        args=(column.name, _key(column)),
    )


def _take(column: str, key: str) -> None:
    value = st.session_state[key]
    scoring_draft.set_value(column, None if value == "" else value)


def _key(column: ColumnContract) -> str:
    return f"live_scoring.field.{column.name}"


def _as_number(value: Any) -> float | int | None:
    """What a number field can show; text that is no number is shown as empty, and objected to."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and isinstance(value, int) else number


def _name(column: ColumnContract) -> str:
    """The column's name as a label. Screen readers read labels as they are written, so a name
    without markup in it is not escaped."""
    return column.name if _ORDINARY.fullmatch(column.name) else formats.plain(column.name)


_ORDINARY = re.compile(r"[A-Za-z]\w*(?:[ .-]\w+)*")


def _hint(column: ColumnContract) -> str:
    """The range seen in the data, and what stands for none."""
    if column.minimum is None or column.maximum is None:
        return ""
    text = f"{_short(column.minimum)}…{_short(column.maximum)}"
    if column.sentinels:
        text += f", {_short(column.sentinels[0])} = none"
    return f" {text}"


def _short(value: float) -> str:
    digits = 3 if abs(value) < 1_000 else 4
    return f"{value:.{digits}g}" if abs(value) < 10_000 else formats.compact(value)


def _step(column: ColumnContract) -> float:
    """About a hundredth of the range, as a power of ten."""
    if column.minimum is None or column.maximum is None or column.maximum <= column.minimum:
        return 0.1
    return float(10.0 ** (math.floor(math.log10(column.maximum - column.minimum)) - 1))
