"""The dialog that creates or changes a schedule, with its next runs before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import streamlit as st

from dashboard import formats, pipeline_facts, reads, session, shell
from dashboard.components import (
    empty,
    failures,
    migration_code,
    pipeline_address,
    pipeline_parameters,
    schedule_fires,
    schedule_recurrence,
)
from dashboard.pipeline_facts import Catalog
from services import recurrence as rules
from services import time_zones
from services.domain import AssetStatus, Recurrence, Schedule

ASKING = "schedules.form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which schedule is changed, or what a new one submits first."""

    schedule_id: str = ""
    pipeline_id: str = ""
    opened_at: datetime

    @property
    def key(self) -> str:
        """Of the form's fields: opened again, it begins anew."""
        return f"schedule-{self.opened_at.timestamp()}"


def ask(*, schedule_id: str = "", pipeline_id: str = "") -> None:
    """Open the form in the next rerun: for a schedule, or for a new one."""
    st.session_state[ASKING] = Question(
        schedule_id=schedule_id, pipeline_id=pipeline_id, opened_at=datetime.now(UTC)
    )


def show(catalog: Catalog) -> None:
    """Draw the form if it was asked for. Called once, outside every fragment."""
    question: Question | None = st.session_state.get(ASKING)
    if question is None:
        return
    schedule = None
    if question.schedule_id:
        with failures.reported():
            schedule = session.workspace().schedules.get(question.schedule_id)
    title = f"Edit {formats.plain(schedule.name)}" if schedule else "New schedule"
    dialog = st.dialog(title, width="large", icon=":material/event_repeat:", on_dismiss=close)
    dialog(_body)(question, schedule, catalog)


def close() -> None:
    st.session_state.pop(ASKING, None)


def _body(question: Question, schedule: Schedule | None, catalog: Catalog) -> None:
    zone = shell.zone()
    targets = _targets(catalog)
    if not targets:
        empty.show("A schedule submits a published pipeline, and none is Active. Publish one.")
        return
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        draft = _fields(question, schedule, catalog, targets)
    with right:
        _preview(draft.recurrence, schedule, now=datetime.now(UTC), zone=zone, key=question.key)
    with failures.reported(), st.container(horizontal=True, horizontal_alignment="right"):
        _code(schedule, draft)
        if st.button("Cancel", key="schedule-form.cancel"):
            close()
            st.rerun()
        if st.button(
            "Save schedule",
            key="schedule-form.save",
            type="primary",
            icon=":material/save:",
            disabled=bool(rules.problems(draft.recurrence)) or not draft.name.strip(),
        ):
            saved = _save(schedule, draft)
            reads.clear()
            close()
            said = f"{saved.name} is saved: {pipeline_facts.when(saved)}"
            st.toast(formats.plain(said), icon=":material/event_repeat:")
            pipeline_address.go(pipeline_address.SCHEDULES, schedule=saved.id)
            st.rerun()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    name: str
    target: str  # "pipeline/<id>" or "endpoint/<id>"
    experiment: str
    recurrence: Recurrence
    parameters: dict[str, str]


def _targets(catalog: Catalog) -> dict[str, str]:
    """What can be submitted: value → label."""
    active = AssetStatus.ACTIVE
    return {
        f"endpoint/{each.id}": f"Endpoint {each.name} (default version {each.default_version})"
        for each in catalog.endpoints.values()
        if each.status is active
    } | {
        f"pipeline/{each.id}": catalog.title(each.id)
        for each in catalog.pipelines.values()
        if each.status is active
    }


def _target_of(schedule: Schedule) -> str:
    if schedule.pipeline_endpoint_id:
        return f"endpoint/{schedule.pipeline_endpoint_id}"
    return f"pipeline/{schedule.pipeline_id}"


def _fields(
    question: Question, schedule: Schedule | None, catalog: Catalog, targets: dict[str, str]
) -> _Draft:
    key = question.key
    if schedule is not None:
        target = _target_of(schedule)
        st.caption(f"Submits {formats.plain(catalog.target(schedule))}")
    else:
        options = list(targets)
        wanted = f"pipeline/{question.pipeline_id}"
        target = st.selectbox(
            "Submits", options, options.index(wanted) if wanted in options else 0,
            key=f"{key}.target", format_func=targets.__getitem__,
        )  # fmt: skip
    pipeline = (
        catalog.behind_endpoint(target.removeprefix("endpoint/"))
        if target.startswith("endpoint/")
        else catalog.pipelines.get(target.removeprefix("pipeline/"))
    )
    usual = pipeline_facts.experiment(pipeline) if pipeline else ""
    name, experiment = st.columns(2, gap="small")
    draft_name = name.text_input(
        "Name",
        schedule.name if schedule else f"{pipeline.name if pipeline else 'New'} schedule",
        key=f"{key}.name",
    )
    draft_experiment = experiment.text_input(
        "Experiment", schedule.experiment if schedule else usual, key=f"{key}.experiment",
        help="The experiment its runs belong to",
    )  # fmt: skip
    if schedule is not None and schedule.irregular:
        st.info(formats.plain(schedule.irregular), icon=":material/lock_clock:")
        recurrence = schedule.recurrence  # nobody sees it, and it stays as it is
    else:
        recurrence = schedule_recurrence.show(
            schedule.recurrence if schedule else None,
            key=key,
            now=question.opened_at,
            zone=shell.zone(),
        )
    with st.expander("Parameters", icon=":material/tune:"):
        parameters = pipeline_parameters.show(
            pipeline.parameters if pipeline else (),
            schedule.parameters if schedule else {},
            key=f"{key}.{target}",
        )
    return _Draft(
        name=draft_name,
        target=target,
        experiment=draft_experiment,
        recurrence=recurrence,
        parameters=parameters,
    )


def _preview(
    recurrence: Recurrence, schedule: Schedule | None, *, now: datetime, zone: tzinfo, key: str
) -> None:
    """What this recurrence says, what saving it starts, and its next ten runs."""
    if schedule_recurrence.problems(recurrence):
        return
    if schedule is not None and schedule.irregular:
        st.caption(":material/check_circle: Saving leaves when it fires as it is.")
        return
    st.markdown(f"**{formats.plain(rules.in_words(recurrence))}**")
    if schedule is not None and recurrence == schedule.recurrence:
        st.caption(":material/check_circle: The recurrence is unchanged; saving starts nothing.")
        times = pipeline_facts.upcoming(schedule, now=now, count=schedule_fires.COUNT)
    else:
        schedule_fires.first_run(recurrence, now=now, zone=zone)
        times = rules.next_fires(
            recurrence,
            anchored_at=now,
            after=now - timedelta(microseconds=1),  # the run at once is the first of them
            count=schedule_fires.COUNT,
        )
    schedule_fires.table(times, recurrence, now=now, zone=zone, key=f"{key}.fires")


def _code(schedule: Schedule | None, draft: _Draft) -> None:
    recurrence = draft.recurrence
    start = recurrence.start_time or datetime.now(UTC)  # without one it fires at once
    zone = time_zones.azure_equivalent(recurrence.time_zone)
    migration_code.popover(
        "schedule.update" if schedule else "schedule.create",
        schedule_id=schedule.id if schedule else None,
        name=draft.name.strip() or None,
        pipeline_id=draft.target.rpartition("/")[2],
        experiment=draft.experiment.strip() or None,
        frequency=recurrence.frequency.value,
        interval=recurrence.interval,
        start=f"{start:%Y-%m-%dT%H:%M:%S}",
        zone=time_zones.azure_name(zone) if zone else None,
        week_days=[day.value for day in recurrence.week_days] or None,
        hours=list(recurrence.hours) or None,
        minutes=list(recurrence.minutes) or None,
    )


def _save(schedule: Schedule | None, draft: _Draft) -> Schedule:
    port = session.workspace().schedules
    kind, _, target_id = draft.target.partition("/")
    if schedule is not None:
        return port.update(
            schedule.id,
            name=draft.name.strip(),
            recurrence=draft.recurrence,
            experiment=draft.experiment.strip(),
            parameters=draft.parameters,
        )
    return port.create(
        draft.name.strip(),
        draft.recurrence,
        pipeline_id=target_id if kind == "pipeline" else None,
        pipeline_endpoint_id=target_id if kind == "endpoint" else None,
        experiment=draft.experiment.strip(),
        parameters=draft.parameters,
    )
