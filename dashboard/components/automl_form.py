"""The form that starts an AutoML run: Azure's settings, each with what it means here."""

from __future__ import annotations

import re
from dataclasses import replace

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import (
    empty,
    failures,
    migration_code,
    runs_child,
    runs_list,
    runs_settings,
)
from services.domain import (
    PRIMARY_METRICS,
    AutoMLSettings,
    ColumnType,
    Dataset,
    DatasetProfile,
    Task,
    split_id,
)

ASKING = "runs.form"  # "" for a new run, a run's id to start from its settings
VALIDATIONS = ("Automatic", "Cross-validation", "Hold-out")
CLASSES = 20  # a numeric label with more values is a quantity


def ask(like: str = "") -> None:
    """Open the form in the next rerun, filled in like an earlier run where one is named."""
    st.session_state[ASKING] = like


def show() -> None:
    """Draw the form if it was asked for. Called once, outside every fragment."""
    if ASKING not in st.session_state:
        return
    like: str = st.session_state[ASKING]
    _dialog(reads.automl_settings(like) if like else None)


def close() -> None:
    st.session_state.pop(ASKING, None)


@st.dialog("New AutoML run", width="large", icon=":material/model_training:", on_dismiss=close)
def _dialog(like: AutoMLSettings | None) -> None:
    with failures.reported():
        datasets = reads.datasets()
        if not datasets:
            empty.show(
                "AutoML needs a registered dataset.", page="dataset", label="Register a dataset"
            )
            return
        settings = fields(datasets, like)
        with st.container(horizontal=True, horizontal_alignment="right"):
            migration_code.popover(
                "run.start",
                experiment=settings.experiment,
                dataset=split_id("dataset", settings.dataset_id)[0],
                task=settings.task.value,
                label=settings.label_column_name,
                metric=settings.primary_metric,
                minutes=settings.experiment_timeout_minutes,
                at_once=settings.max_concurrent_iterations,
            )
            if st.button("Cancel", key="automl.cancel"):
                close()
                st.rerun()
            if st.button(
                "Start run", key="automl.start", type="primary", icon=":material/play_arrow:"
            ):
                _start(settings)


def _start(settings: AutoMLSettings) -> None:
    run = session.workspace().runs.begin_automl(settings)
    reads.clear()
    close()
    runs_child.forget()
    runs_list.open_run(run.id)
    st.toast(
        "The run is queued and goes on when you leave this page.", icon=":material/model_training:"
    )
    st.rerun()


_AZURE = AutoMLSettings(
    experiment="", dataset_id="", label_column_name="", experiment_timeout_minutes=15.0
)


def fields(datasets: tuple[Dataset, ...], like: AutoMLSettings | None) -> AutoMLSettings:
    """The settings as chosen; the publishing of a retraining pipeline asks the same questions."""
    base = like or _AZURE
    left, right = st.columns(2, gap="medium")
    with left:
        dataset = _dataset(datasets, like)
        profile = reads.profile(dataset.name, dataset.version)
        label = _label(profile, like)
        task = _task(profile, label, like)
        metric = _metric(task, like)
    with right:
        experiment = st.text_input(
            "Experiment", base.experiment or usual_experiment(dataset.name),
            key=f"automl.experiment-{dataset.name}",
            help="Runs of one experiment are numbered and compared together.",
        )  # fmt: skip
        timeout = st.number_input(
            "Experiment timeout (minutes)", 0.1, 1440.0, float(base.experiment_timeout_minutes),
            0.5, format="%.1f", key="automl.timeout",
            help="The search ends after this long; ensembles are built within it.",
        )  # fmt: skip
        concurrent = st.number_input(
            "Concurrent iterations", 1, 16, base.max_concurrent_iterations, key="automl.concurrent",
            help="How many child runs train at once. More than there are cores slows each down.",
        )  # fmt: skip
        folds, fraction = _validation(base)
        iterations = st.number_input(
            "Iterations at most", 1, 1000, base.iterations, key="automl.iterations",
            placeholder="as many as the timeout allows",
            help="How many candidates are tried, ensembles not counted.",
        )  # fmt: skip
    base = _switches(base)
    runs_settings.leak_warning(dataset.id)
    return replace(
        base,
        experiment=experiment,
        dataset_id=dataset.id,
        label_column_name=label,
        task=task,
        primary_metric=metric,
        experiment_timeout_minutes=float(timeout),
        max_concurrent_iterations=int(concurrent),
        iterations=None if iterations is None else int(iterations),
        n_cross_validations=folds,
        validation_size=fraction,
    )


def usual_experiment(dataset: str) -> str:
    """``Bank Marketing (synthetic)`` → ``bank-marketing-synthetic``."""
    return re.sub(r"[^a-z0-9]+", "-", dataset.casefold()).strip("-") or "automl"


def _dataset(datasets: tuple[Dataset, ...], like: AutoMLSettings | None) -> Dataset:
    wanted, version = split_id("dataset", like.dataset_id) if like else (datasets[0].name, 0)
    names = [dataset.name for dataset in datasets]
    first, second = st.columns([3, 1])
    name = first.selectbox(
        "Dataset",
        names,
        index=names.index(wanted) if wanted in names else 0,
        key="automl.dataset",
    )
    versions = {each.version: each for each in reads.dataset_versions(name)}
    numbers = list(versions)
    chosen = second.selectbox(
        "Version",
        numbers,
        index=numbers.index(version) if name == wanted and version in versions else 0,
        key=f"automl.version-{name}",
    )
    dataset = versions[chosen]
    st.caption(
        f"{formats.count(dataset.row_count)} rows, {formats.count(dataset.column_count)} columns"
        + (" · synthetic data" if dataset.synthetic else "")
    )
    return dataset


def _label(profile: DatasetProfile, like: AutoMLSettings | None) -> str:
    names = [column.name for column in profile.columns]
    wanted = like.label_column_name if like else "y" if "y" in names else names[-1]
    return st.selectbox(
        "Label column", names, index=names.index(wanted) if wanted in names else len(names) - 1,
        key="automl.label", help="The column to predict.",
    )  # fmt: skip


def _task(profile: DatasetProfile, label: str, like: AutoMLSettings | None) -> Task:
    column = profile.column(label)
    quantity = (
        column.type in (ColumnType.INTEGER, ColumnType.NUMBER) and column.distinct_count > CLASSES
    )
    natural = Task.REGRESSION if quantity else Task.CLASSIFICATION
    if like and like.label_column_name == label:
        natural = like.task
    return st.segmented_control(
        "Task", list(Task), default=natural, required=True, key=f"automl.task-{label}",
        format_func=lambda task: task.value.capitalize(),
        help="Classification predicts one of a few classes, regression a number.",
    )  # fmt: skip


def _metric(task: Task, like: AutoMLSettings | None) -> str:
    metrics = PRIMARY_METRICS[task]
    wanted = like.primary_metric if like else metrics[0]
    return st.selectbox(
        "Primary metric", metrics, index=metrics.index(wanted) if wanted in metrics else 0,
        key=f"automl.metric-{task}",
        help="The one number candidates are ranked by. AUC_weighted suits unbalanced classes.",
    )  # fmt: skip


def _validation(base: AutoMLSettings) -> tuple[int | None, float | None]:
    """Folds and held-out fraction; both None when AutoML decides."""
    start = 1 if base.n_cross_validations else 2 if base.validation_size else 0
    how = st.segmented_control(
        "Validation", VALIDATIONS, default=VALIDATIONS[start], required=True,
        key="automl.validation",
        help="Automatic: 10 % held out above 20,000 rows, cross-validation below.",
    )  # fmt: skip
    if how == VALIDATIONS[1]:
        folds = st.number_input("Folds", 2, 20, base.n_cross_validations or 5, key="automl.folds")
        return int(folds), None
    if how == VALIDATIONS[2]:
        share = st.number_input(
            "Held-out share (%)", 1, 90, round((base.validation_size or 0.2) * 100),
            key="automl.share",
        )  # fmt: skip
        return None, share / 100
    return None, None


def _switches(base: AutoMLSettings) -> AutoMLSettings:
    """Everything that is on or off, in one row."""
    with st.container(horizontal=True, gap="medium"):
        early = st.toggle(
            "Early stopping", base.enable_early_stopping, key="automl.early",
            help="Ends the search when the best score has not improved for a while.",
        )  # fmt: skip
        featurize = st.toggle(
            "Featurization", base.featurization == "auto", key="automl.featurize",
            help="Impute, encode and scale columns automatically.",
        )  # fmt: skip
        onnx = st.toggle(
            "ONNX compatible", base.enable_onnx_compatible_models, key="automl.onnx",
            help="Only models that convert to ONNX: they score a row in under a millisecond.",
        )  # fmt: skip
        voting = st.toggle(
            "Voting ensemble", base.enable_voting_ensemble, key="automl.voting",
            help="A weighted vote of the best candidates.",
        )  # fmt: skip
        stack = st.toggle(
            "Stack ensemble", base.enable_stack_ensemble, key="automl.stack",
            help="A small model over the candidates' predictions.",
        )  # fmt: skip
        explain = st.toggle(
            "Explain best model", base.model_explainability, key="automl.explain",
            help="Compute feature importance at the end.",
        )  # fmt: skip
    return replace(
        base,
        enable_early_stopping=early,
        featurization="auto" if featurize else "off",
        enable_onnx_compatible_models=onnx,
        enable_voting_ensemble=voting,
        enable_stack_ensemble=stack,
        model_explainability=explain,
    )
