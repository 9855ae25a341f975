"""Runs side by side: what differs first, the baseline in front, charts when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import charts, charts_compare, formats, reads
from dashboard.components import baseline_pin, empty, runs_list
from services import run_comparison
from services.domain import Run
from services.run_comparison import Line, Metrics

VIEWS = ("Table", "Charts")
NEWEST = "Newest first"
CHARTS = 4  # drawn at once, at most
MARKS = {True: "▲", False: "▼", None: ""}
TALL, TALL_HEIGHT = 16, 560  # lines from which the table scrolls, pixels it then has


def show(scope: Sequence[Run], *, what: str = "run") -> None:
    """Draw the choices and the chosen view. `scope` are all runs there are to choose from."""
    if len(scope) < 2:
        empty.show(f"There is only one {what} here; comparing takes two.")
        return
    names = labels(scope)
    by_name = {name: run for run, name in zip(scope, names.values(), strict=True)}
    pinned = baseline_pin.of(scope)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Runs", list(by_name), key="runs", bind="query-params", width=220,
            placeholder=f"All {formats.plural(len(scope), what)}",
        )  # fmt: skip
        runs = _with(pinned, [by_name[name] for name in chosen] or list(scope))
        metrics = reads.metrics(run_comparison.metric_ids(runs))
        known = run_comparison.metric_names(runs, metrics)
        by = st.selectbox(
            "Order runs by", [NEWEST, *known], key="by", bind="query-params", width=190
        )
        only = st.toggle("Differences only", key="only", bind="query-params", value=True)
        baseline_pin.choose(scope, names)
        st.space("stretch")
        view = st.segmented_control(
            "View",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="compare-view",
            bind="query-params",
            label_visibility="collapsed",
        )
    ids = frozenset(run.id for run in pinned.values())
    placed = run_comparison.ordered(runs, by=by, metrics=metrics, baseline_ids=ids)
    names |= labels([run for run in placed if run.id not in names], whole=True)
    if len(placed) < 2:
        empty.show("One run is chosen; choose another one to hold beside it.")
    elif view == VIEWS[1]:
        _charts(placed, metrics, names, pinned, known)
    else:
        _table(placed, metrics, names, pinned, only=only)


def labels(runs: Sequence[Run], *, whole: bool = False) -> dict[str, str]:
    """Run id → what it is called in a column: its number, and whatever else tells it apart."""
    many = whole or len({run.experiment for run in runs}) > 1
    return {
        run.id: f"{run.number} {run.display_name}"
        if run.parent_id and not many
        else runs_list.label(run, alone=not many)
        for run in runs
    }


def _with(pinned: Mapping[str, Run], runs: Sequence[Run]) -> list[Run]:
    """The runs, and the baselines they are held against even where nobody chose them."""
    here = {run.experiment for run in runs}
    extra = [run for experiment, run in pinned.items() if experiment in here]
    return list({run.id: run for run in (*extra, *runs)}.values())


def _table(
    runs: Sequence[Run],
    metrics: Metrics,
    names: Mapping[str, str],
    pinned: Mapping[str, Run],
    *,
    only: bool,
) -> None:
    lines = run_comparison.lines(runs, metrics)
    differing = sum(line.differs for line in lines)
    shown = [line for line in lines if line.differs or not only]
    st.caption(
        f"{formats.plural(len(runs), 'run')}: {formats.plural(differing, 'value')} "
        f"{'differs' if differing == 1 else 'differ'}, {len(lines) - differing} are the same in "
        "all. A change from the baseline is marked ▲ where it is for the better, ▼ for the worse."
    )
    if not shown:
        empty.show("These runs are alike in everything that was recorded.")
        return
    first = [names[run.id] for run in runs if run.id in {each.id for each in pinned.values()}]
    st.dataframe(
        frame(shown, runs, names, pinned),
        hide_index=True,
        height="content" if len(shown) <= TALL else TALL_HEIGHT,
        column_config={
            "From": st.column_config.TextColumn("From", width=84, pinned=True),
            "Value": st.column_config.TextColumn("Value", width=210, pinned=True),
            **{
                name: st.column_config.TextColumn(
                    f"{name}, baseline",
                    pinned=True,
                    help="The others are held against it",
                )
                for name in first
            },
        },
        placeholder="",
        alt="Values in lines, runs in columns, what differs first; the baseline is the first run",
        key="compare.table",
    )


def frame(
    lines: Sequence[Line],
    runs: Sequence[Run],
    names: Mapping[str, str],
    pinned: Mapping[str, Run],
) -> pd.DataFrame:
    """Values in lines, runs in columns; metrics with their change from the baseline's."""
    place = {run.id: number for number, run in enumerate(runs)}
    held = [
        place.get(pinned[run.experiment].id) if run.experiment in pinned else None for run in runs
    ]
    columns: dict[str, list[str]] = {
        "From": [line.group.value for line in lines],
        "Value": [line.name for line in lines],
    }
    for number, run in enumerate(runs):
        columns[names[run.id]] = [_cell(line, number, held[number]) for line in lines]
    return pd.DataFrame(columns)


def _cell(line: Line, number: int, held: int | None) -> str:
    value = line.values[number]
    if value is None:
        return ""
    if not line.is_metric:
        return str(value)
    text = formats.metric(value)
    change = None if held in (None, number) else run_comparison.delta(value, line.values[held or 0])
    if change is None:
        return text
    mark = MARKS[run_comparison.improves(line.name, change)]
    return f"{text}  {mark} {change:+.4f}" if mark else f"{text}  ="


def _charts(
    runs: Sequence[Run],
    metrics: Metrics,
    names: Mapping[str, str],
    pinned: Mapping[str, Run],
    known: Sequence[str],
) -> None:
    if not known:
        empty.show("None of these runs has logged a metric.")
        return
    wanted = st.multiselect(
        "Metrics", known, default=known[:2], key="metrics", bind="query-params",
        max_selections=CHARTS,
    )  # fmt: skip
    for start in range(0, len(wanted), 2):
        for place, metric in zip(st.columns(2), wanted[start : start + 2], strict=False):
            with place.container(border=True):
                st.markdown(f"**{formats.plain(metric)}**")
                _chart(runs, metrics, names, pinned, metric)


def _chart(
    runs: Sequence[Run],
    metrics: Metrics,
    names: Mapping[str, str],
    pinned: Mapping[str, Run],
    metric: str,
) -> None:
    values = [run_comparison.score(run, metric, metrics) for run in runs]
    line = None
    if len(pinned) == 1:
        (baseline,) = pinned.values()
        held = run_comparison.score(baseline, metric, metrics)
        line = None if held is None else (f"baseline {formats.metric(held)}", held)
    present = [value for value in values if value is not None]
    st.plotly_chart(
        charts_compare.metric_by_run(
            [names[run.id] for run in runs], values, metric=metric, baseline=line
        ),
        config=charts.CONFIG,
        key=f"compare.{metric}",
        alt=f"{metric} of {formats.plural(len(present), 'run')}"
        + (f", from {min(present):.4f} to {max(present):.4f}" if present else ""),
    )
