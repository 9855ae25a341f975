"""Schedules that stand still for a maintenance: which, why, until when, and going on early."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import streamlit as st

from dashboard import alert_reads, formats, reads, session, shell
from dashboard.components import failures, migration_code
from services.domain import AssetStatus, Capability, Pause, Schedule

ASKING = "schedules.pausing"
USUAL = timedelta(hours=4)
OVERDUE = timedelta(minutes=1)  # after its end a pause is over, or something keeps it
FROM_HERE = (
    "Azure ML cannot resume a schedule by itself: this dashboard does, so “make run” must be up at "
    "that time. If it is not, they are resumed when it is started again."
)


def show(schedules: Sequence[Schedule], *, now: datetime, zone: tzinfo) -> None:
    """What is paused, and the way to pause more; nothing where a pause would not end by itself."""
    if not session.workspace().can(Capability.PAUSE_SCHEDULES):
        return
    _paused(schedules, now=now, zone=zone)
    if any(_can(each) for each in schedules):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Pause schedules", key="schedules.pause", icon=":material/pause_circle:",
                on_click=_ask,
                help="For a maintenance: they go on by themselves at a time you choose.",
            )  # fmt: skip
            first = next(each for each in schedules if _can(each))
            migration_code.popover(
                "schedule.pause", "schedule.resume", schedule_id=first.id, name=first.name
            )
    opened_at = st.session_state.get(ASKING)
    if opened_at is not None:
        title = "Pause schedules"
        dialog = st.dialog(title, icon=":material/pause_circle:", on_dismiss=_close)
        dialog(_body)(schedules, opened_at, zone)


def sentence(pause: Pause, *, now: datetime, zone: tzinfo) -> str:
    """``until 14:00:00, in 2 h, by ann: storage is moved``, and what keeps it after its end."""
    said = (
        f"until {formats.instant(pause.until, zone=zone, now=now)}, "
        f"{formats.age(pause.until, now=now)}, by {pause.paused_by}: {pause.reason}"
    )
    if now - pause.until < OVERDUE and not pause.problem:
        return said
    why = pause.problem or "Nobody has resumed it."
    return f"{said} — not resumed yet, and tried again: {why}"


def _can(schedule: Schedule) -> bool:
    return schedule.status is AssetStatus.ACTIVE or schedule.pause is not None


def _ask() -> None:
    st.session_state[ASKING] = datetime.now(UTC)


def _close() -> None:
    st.session_state.pop(ASKING, None)


def _paused(schedules: Sequence[Schedule], *, now: datetime, zone: tzinfo) -> None:
    """One line for each maintenance, with the names it holds up."""
    if _by_whom() and any(each.pause for each in schedules):
        _unwatched(now)
    together: dict[Pause, list[Schedule]] = {}
    for each in schedules:
        if each.pause is not None:
            together.setdefault(each.pause, []).append(each)
    for number, (pause, held) in enumerate(
        sorted(together.items(), key=lambda pair: pair[0].until)
    ):
        count = formats.plural(len(held), "schedule is", "schedules are")
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", key=f"paused-{number}"
        ):
            st.markdown(
                f":material/pause_circle: **{count} paused** "
                f"{formats.plain(sentence(pause, now=now, zone=zone))}  \n"
                f":gray[{formats.plain(', '.join(each.name for each in held))}]",
                help=f"Active again at {formats.utc(pause.until)}",
            )
            st.space("stretch")
            if st.button(
                "Resume now", key=f"schedules.resume-{number}", icon=":material/play_circle:",
                help="They fire from their next time on; times that passed are not made up for.",
            ):  # fmt: skip
                with failures.reported():
                    _resume(held)
    if together and _by_whom():
        st.caption(_by_whom())


def _by_whom() -> str:
    """Who resumes them, where it is not the workspace itself."""
    return "" if session.workspace().backend == "local" else FROM_HERE


def _unwatched(now: datetime) -> None:
    """Nobody would resume them as things are."""
    at, _ = alert_reads.evaluated()
    if at is None or now - at > alert_reads.stale_after():
        st.warning(
            f"Nobody is there to resume them just now. {alert_reads.unwatched()}",
            icon=":material/visibility_off:",
        )


def _resume(held: Sequence[Schedule]) -> None:
    for each in held:
        session.workspace().schedules.enable(each.id)
    reads.clear()
    st.toast(f"{formats.plural(len(held), 'schedule is', 'schedules are')} Active again.")
    st.rerun()


def _body(schedules: Sequence[Schedule], opened_at: datetime, zone: tzinfo) -> None:
    key = f"schedules-pause-{opened_at.timestamp()}"
    names = {each.id: each.name for each in schedules if _can(each)}
    chosen = st.multiselect(
        "Schedules", list(names), list(names), format_func=names.__getitem__, key=f"{key}.which",
        help="Disabled ones are not listed: they would not fire anyway.",
    )  # fmt: skip
    reason = st.text_input(
        "Reason", key=f"{key}.reason", placeholder="storage is moved", max_chars=200
    )
    there = (opened_at + USUAL).astimezone(shell.zone()).replace(tzinfo=None)
    end = st.datetime_input(
        f"Resume at ({zone})", _quarter(there), key=f"{key}.until",
        help="They are Active again at this time, whether a browser is open or not.",
    )  # fmt: skip
    st.caption(
        f"Runs that have started go on. Times that pass meanwhile are not made up for. {_by_whom()}"
    )
    if _by_whom():
        _unwatched(opened_at)
    with failures.reported(), st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key="schedules-pause.cancel"):
            _close()
            st.rerun()
        if st.button(
            f"Pause {formats.plural(len(chosen), 'schedule')}",
            key="schedules-pause.save",
            type="primary",
            icon=":material/pause:",
            disabled=not (chosen and reason.strip() and end),
        ):
            assert end is not None
            try:
                paused = session.workspace().schedules.pause(
                    chosen, reason=reason, until=end.replace(tzinfo=zone).astimezone(UTC)
                )
            finally:  # some may be paused though another was refused
                reads.clear()
            _close()
            st.toast(
                f"{formats.plural(len(paused), 'schedule is', 'schedules are')} paused.",
                icon=":material/pause_circle:",
            )
            st.rerun()


def _quarter(at: datetime) -> datetime:
    """The quarter of an hour it lies in."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
