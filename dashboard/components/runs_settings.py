"""What an AutoML run was asked to do, and what it found about the data first."""

from __future__ import annotations

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import failures
from dashboard.run_facts import RunFacts
from services import guardrails
from services.domain import AutoMLSettings, split_id
from services.errors import NotFoundError
from services.guardrails import Guardrail

_RESULTS = {
    "passed": ("green", ":material/check_circle:"),
    "done": ("blue", ":material/build_circle:"),
    "fixed": ("blue", ":material/build_circle:"),
    "alerted": ("orange", ":material/warning:"),
}


def show(facts: RunFacts) -> None:
    """Settings at the left, guardrails at the right."""
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Settings**")
        if facts.settings is None:
            st.caption("This run was not started by AutoML; it has no search settings.")
        else:
            _rows(
                {
                    "Experiment": facts.settings.experiment,
                    "Dataset": facts.settings.dataset_id,
                    "Label column": facts.settings.label_column_name,
                    "Task": facts.settings.task.value,
                    **described(facts.settings),
                    "Validated on": facts.reported_on or "not recorded",
                    "Random seed": str(facts.settings.seed),
                    "Run id": facts.run.id,
                }
            )
    with right, st.container(border=True):
        st.markdown("**Guardrails**", help="What AutoML checked about the data before training")
        if facts.settings is not None:
            leak_warning(facts.settings.dataset_id)
        with failures.reported():
            _guardrails(facts)


def brief(settings: AutoMLSettings) -> None:
    """The settings that explain a leaderboard, in a card."""
    with st.container(border=True):
        st.markdown("**Settings**")
        _rows(described(settings))


def described(settings: AutoMLSettings) -> dict[str, str]:
    """Azure's settings in words, in the order an operator asks about them."""
    return {
        "Primary metric": settings.primary_metric,
        "Experiment timeout": formats.seconds(settings.experiment_timeout_minutes * 60),
        "Concurrent iterations": str(settings.max_concurrent_iterations),
        "Iterations": "as many as fit"
        if settings.iterations is None
        else formats.count(settings.iterations),
        "Early stopping": _on(settings.enable_early_stopping),
        "Validation": validation(settings),
        "Featurization": settings.featurization,
        "ONNX compatible": _on(settings.enable_onnx_compatible_models),
        "Ensembles": ", ".join(
            name
            for name, enabled in (
                ("voting", settings.enable_voting_ensemble),
                ("stack", settings.enable_stack_ensemble),
            )
            if enabled
        )
        or "off",
        "Explain best model": _on(settings.model_explainability),
    }


def validation(settings: AutoMLSettings) -> str:
    if settings.n_cross_validations is not None:
        return f"{settings.n_cross_validations}-fold cross-validation"
    if settings.validation_size is not None:
        return f"{formats.percent(settings.validation_size, digits=0)} held out"
    return "automatic"


def leak_warning(dataset_id: str) -> None:
    """Say when the data holds what will not be known when the model is used.

    Not on Azure, where naming the columns means fetching the rows.
    """
    if session.workspace().backend != "local":
        return
    try:
        name, version = split_id("dataset", dataset_id)
        columns = [column.name for column in reads.profile(name, version).columns]
    except NotFoundError:  # the dataset may be gone; the run stays readable
        return
    if warning := guardrails.leak(columns):
        st.warning(warning, icon=":material/visibility_off:")


def _guardrails(facts: RunFacts) -> None:
    try:
        found = guardrails.read(reads.run_file(facts.run.id, guardrails.FILE))
    except NotFoundError:
        st.caption(
            "Not written yet." if not facts.run.status.settled else "This run wrote no guardrails."
        )
        return
    for each in found:
        _guardrail(each)


def _guardrail(guardrail: Guardrail) -> None:
    color, icon = _RESULTS.get(guardrail.result, ("gray", ":material/info:"))
    with st.container(gap="xxsmall"):
        st.markdown(
            f":{color}-badge[{icon} {formats.plain(guardrail.result.capitalize())}] "
            f"**{formats.plain(guardrail.title)}**"
        )
        st.caption(formats.plain(" ".join(filter(None, (guardrail.description, guardrail.reason)))))
        for detail in guardrail.details:
            line = " · ".join(f"{name}: {value}" for name, value in detail.items())
            st.caption(f"– {formats.plain(line)}")


def _rows(rows: dict[str, str]) -> None:
    """Names at the left, values at the right, one line each."""
    st.table(
        {"Setting": [f":gray[{name}]" for name in rows],
         "Value": [formats.plain(value) for value in rows.values()]},
        border=False, hide_index=True, hide_header=True,
        alt="Settings of the run",
    )  # fmt: skip


def _on(enabled: bool) -> str:
    return "on" if enabled else "off"
