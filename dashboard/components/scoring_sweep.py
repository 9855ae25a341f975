"""One column of the row over its whole range: how the prediction follows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import charts, charts_sweep, formats, scoring_draft, session
from dashboard.components import empty, failures, scoring_options
from services import feature_sweep
from services.domain import ColumnContract, DataContract, Deployment
from services.errors import InvalidRequestError
from services.feature_sweep import Curve

SWEEP = "Sweep"
COLUMN, WITH = "sweep", "sweep_with"  # in the address
NOBODY = "No other"
_RESULT = "scoring_sweep.result"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """The curves last drawn, and of what."""

    column: str
    asked: tuple[Any, ...]
    curves: tuple[Curve, ...]


def show(
    deployment: Deployment, deployments: Sequence[Deployment], contract: DataContract | None
) -> None:
    """Draw the choice, the button and the curve last asked for."""
    columns = {
        each.name: each
        for each in (contract.columns if contract else ())
        if feature_sweep.values(each)
    }
    if not columns:
        empty.show("Nothing is known about the range of this deployment's columns.")
        return
    others = [each.name for each in deployments if each.name != deployment.name]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Column", list(columns), key=COLUMN, bind="query-params", width=240
        ) or next(iter(columns))
        other = st.selectbox(
            "Together with", [NOBODY, *others], key=WITH, bind="query-params", width=240
        )
        pressed = st.button(
            "Draw the curve", key="scoring_sweep.draw", type="primary", icon=":material/show_chart:"
        )
    column = columns.get(name) or next(iter(columns.values()))
    asked = [each for each in deployments if each.name in (deployment.name, other)]
    asked.sort(key=lambda each: each.name != deployment.name)
    if pressed:
        with failures.reported(), st.spinner("Scoring…"):
            st.session_state[_RESULT] = _ask(asked, column, contract)
    result: _Result | None = st.session_state.get(_RESULT)
    wanted = [each.name for each in asked]
    if result is None or result.column != column.name or _names(result) != wanted:
        st.caption(
            "The other columns keep the values of the row on the Score tab. "
            f"{formats.plural(len(feature_sweep.values(column)), 'row')} in one request to "
            f"{formats.plain(' and '.join(wanted))}."
        )
        return
    _drawn(result, column)


def _ask(
    deployments: Sequence[Deployment], column: ColumnContract, contract: DataContract | None
) -> _Result:
    asked = feature_sweep.values(column)
    base = feature_sweep.payload(scoring_draft.current(), scoring_draft.row(), column.name, asked)
    return _Result(
        column=column.name,
        asked=asked,
        curves=tuple(
            _curve(each, base.asking_probabilities(_may(each, contract)).text(indent=None), asked)
            for each in deployments
        ),
    )


def _may(deployment: Deployment, contract: DataContract | None) -> bool:
    return scoring_options.accepts_method(deployment, contract)


def _curve(deployment: Deployment, payload: str, asked: Sequence[Any]) -> Curve:
    answer = session.workspace().scoring.score(deployment.name, payload)
    if not answer.ok:
        raise InvalidRequestError(f"“{deployment.name}” did not answer. {answer.error}")
    if len(answer.results) != len(asked):
        raise InvalidRequestError(
            f"“{deployment.name}” answered {len(answer.results)} of {len(asked)} rows, so there is "
            "no curve to draw."
        )
    return feature_sweep.curve(deployment.name, answer)


def _names(result: _Result) -> list[str]:
    return [each.deployment for each in result.curves]


def _drawn(result: _Result, column: ColumnContract) -> None:
    of_class = _class(result)
    apart = (
        feature_sweep.disagreements(*result.curves)
        if len(result.curves) == 2 and _labelled(result)
        else ()
    )
    st.plotly_chart(
        charts_sweep.drawn(
            result.curves,
            result.asked,
            column=column.name,
            of_class=of_class,
            ordered=feature_sweep.ordered(column),
            disagreements=apart,
        ),
        config=charts.CONFIG,
        key="scoring_sweep.chart",
        alt=f"Prediction by {column.name}, a curve for each deployment",
    )
    if len(result.curves) == 2 and _labelled(result):
        _verdict(result, apart)


def _verdict(result: _Result, apart: Sequence[int]) -> None:
    names = formats.plain(" and ".join(_names(result)))
    if not apart:
        st.success(f"{names} predict the same at every value.", icon=":material/check_circle:")
        return
    shown = ", ".join(str(result.asked[at]) for at in apart[:MOST_NAMED])
    more = len(apart) - MOST_NAMED
    st.warning(
        f"{names} disagree at {len(apart)} of {formats.plural(len(result.asked), 'value')}: "
        f"{formats.plain(shown)}{f' and {more} more' if more > 0 else ''}.",
        icon=":material/call_split:",
    )


MOST_NAMED = 12


def _labelled(result: _Result) -> bool:
    """Predictions are classes, which agree or do not; numbers differ by degrees."""
    labels = [label for each in result.curves for label in each.labels]
    return any(each.probabilities for each in result.curves) or not any(
        isinstance(label, float) for label in labels
    )


def _class(result: _Result) -> str | None:
    """Whose probability is drawn; None where not every deployment gives any."""
    if not all(each.probabilities for each in result.curves):
        return None
    classes = list(result.curves[0].probabilities[0])
    chosen = st.segmented_control(
        "Probability of", classes, default=classes[-1], required=True, key="scoring_sweep.class"
    )
    return str(chosen) if chosen in classes else classes[-1]
