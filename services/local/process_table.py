"""What the supervisor observed, for everybody to read: one row per program.

Only the supervisor writes. Readers ask `observed` and judge an observation by its
age: nothing is believed of a supervisor that no longer looks.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.domain import Component, ComponentState
from services.local import processes
from services.local.clock import utc_now
from services.local.duty import Program
from services.local.processes import ProcessRef
from services.local.store import Store, Watch, instant, stamp
from services.local.supervised import Probe

FIRST_DELAY = timedelta(milliseconds=250)
LONGEST_DELAY = timedelta(seconds=30)
CRASH_WINDOW = timedelta(minutes=1)
BEAT_EVERY = timedelta(seconds=5)
SILENT = timedelta(seconds=20)  # without a beat; it is held up, or cannot write


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The last that was seen of one program."""

    key: str
    generation: str
    ref: ProcessRef | None  # None before its process exists
    spawned_at: datetime
    exited_at: datetime | None
    exit_code: int | None
    restart_count: int
    restart_at: datetime | None
    answering: bool | None  # None before the first probe
    answered: bool  # it answered at least once
    answered_at: datetime | None

    @property
    def running(self) -> bool:
        """Its process exists at this moment."""
        return self.exited_at is None and self.ref is not None and processes.alive(self.ref)


class ProcessTable:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._exits: dict[str, list[datetime]] = defaultdict(list)
        self._known: dict[str, tuple[bool, datetime]] = {}
        self._beat_at: datetime | None = None

    # --- for readers ---

    def observed(self, key: str) -> Observation | None:
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM processes WHERE key = ?", (key,)).fetchone()
        return None if row is None else observation(row)

    def all(self, prefix: str = "") -> dict[str, Observation]:
        """Every program whose key starts with `prefix`, by key."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM processes WHERE substr(key, 1, length(?)) = ?", (prefix, prefix)
            ).fetchall()
        return {row["key"]: observation(row) for row in rows}

    def supervisor(self) -> Component:
        """Whether somebody keeps this workspace running."""
        pid = self._store.setting("supervisor_pid")
        if pid is None:
            return Component(
                name="supervisor",
                state=ComponentState.STOPPED,
                detail="No supervisor has run yet: start one with “make run” or “make workspace”.",
            )
        started_at = float(self._store.setting("supervisor_started_at") or 0)
        since = instant(self._store.setting("supervisor_since"))
        if processes.alive(ProcessRef(int(pid), started_at)):
            beat = instant(self._store.setting("supervisor_beat"))
            if beat is not None and since is not None and utc_now() - max(beat, since) > SILENT:
                return Component(
                    name="supervisor",
                    state=ComponentState.FAILED,
                    detail="The supervisor runs but has not looked at anything for more than "
                    f"{SILENT.seconds} s: nothing is started, restarted or scheduled. "
                    "Its log in the workspace folder may say why.",
                    since=beat,
                )
            return Component(name="supervisor", state=ComponentState.RUNNING, since=since)
        return Component(
            name="supervisor",
            state=ComponentState.STOPPED,
            detail="No supervisor is running: nothing is served, trained or scheduled. "
            "Start one with “make run” or “make workspace”.",
            since=instant(self._store.setting("supervisor_beat")),
        )

    def server(self, key: str, name: str, supervisor: Component) -> Component:
        """How a server that everybody relies on is doing."""
        seen = self.observed(key)
        if supervisor.state is ComponentState.STOPPED or seen is None:
            return Component(
                name=name,
                state=ComponentState.STOPPED,
                detail="It runs only while the workspace is supervised.",
            )
        if seen.running and seen.answering:
            return Component(name=name, state=ComponentState.RUNNING, since=seen.spawned_at)
        problem = self._store.setting(f"{key}_problem")  # its own words, when it could not start
        if seen.running and not seen.answered and not problem:
            return Component(name=name, state=ComponentState.STARTING, since=seen.spawned_at)
        detail = "It does not answer." if seen.running else f"It ended with code {seen.exit_code}."
        return Component(
            name=name,
            state=ComponentState.FAILED,
            detail=problem or detail,
            since=seen.answered_at,
        )

    # --- for the supervisor ---

    def watch(self) -> Watch:
        return self._store.watch()

    def supervised_by(self, ref: ProcessRef | None, now: datetime) -> None:
        if ref is not None:
            self._store.set_setting("supervisor_pid", str(ref.pid))
            self._store.set_setting("supervisor_started_at", repr(ref.started_at))
            self._store.set_setting("supervisor_since", stamp(now) or "")

    def beat(self, now: datetime) -> None:
        """Note from time to time that the supervisor is at work."""
        if self._beat_at is None or abs(now - self._beat_at) >= BEAT_EVERY:
            self._beat_at = now
            self._store.set_setting("supervisor_beat", stamp(now) or "")

    def unfinished(self) -> Sequence[Observation]:
        """Programs recorded as running."""
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM processes WHERE exited_at IS NULL").fetchall()
        return [observation(row) for row in rows]

    def may_start(self, program: Program, now: datetime) -> bool:
        """Whether a program that is not running may be started: not before its back-off
        is over, and a worker not twice for one generation."""
        seen = self.observed(program.key)
        if seen is None or seen.generation != program.generation:
            return True
        if not program.server:
            return False
        if seen.restart_at is None:
            return True
        wait = seen.restart_at - now
        return not timedelta(0) < wait <= LONGEST_DELAY  # longer: the clock was set back

    def starting(self, program: Program, now: datetime) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO processes (key, generation, spawned_at) VALUES (?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET generation = excluded.generation,"
                " restart_count = CASE WHEN generation = excluded.generation"
                "   THEN restart_count + 1 ELSE 0 END,"
                " spawned_at = excluded.spawned_at, pid = NULL, pid_started_at = NULL,"
                " exited_at = NULL, exit_code = NULL, restart_at = NULL,"
                " answering = NULL, answered_at = NULL, probed_at = NULL",
                (program.key, program.generation, stamp(now)),
            )
        self._known.pop(program.key, None)

    def started(self, key: str, ref: ProcessRef | None) -> None:
        if ref is not None:
            with self._store.transaction() as db:
                db.execute(
                    "UPDATE processes SET pid = ?, pid_started_at = ? WHERE key = ?",
                    (ref.pid, ref.started_at, key),
                )

    def exited(self, key: str, *, code: int | None, at: datetime, backing_off: bool = False) -> int:
        """Record an end; answers how often it ended by itself within the last minute."""
        ends = [*self._exits[key], at] if backing_off else self._exits[key]
        recent = [each for each in ends if abs(at - each) <= CRASH_WINDOW]
        delay = min(FIRST_DELAY * 2 ** max(len(recent) - 1, 0), LONGEST_DELAY)
        with self._store.transaction() as db:
            db.execute(
                "UPDATE processes SET exited_at = ?, exit_code = ?, restart_at = ?, answering = 0"
                " WHERE key = ?",
                (stamp(at), code, stamp(at + delay) if backing_off else None, key),
            )
        self._exits[key] = recent  # once it is written: what failed is tried again
        return len(recent)

    def probed(self, probes: Sequence[Probe]) -> None:
        """Keep what the probes said: at once when it changed, else every few seconds."""
        fresh = [probe for probe in probes if self._is_news(probe)]
        if not fresh:
            return
        with self._store.transaction() as db:
            db.executemany(
                "UPDATE processes SET answering = ?, probed_at = ?,"
                " answered_at = CASE WHEN ? THEN ? ELSE answered_at END WHERE key = ?",
                [
                    (probe.answering, stamp(probe.at), probe.answering, stamp(probe.at), probe.key)
                    for probe in fresh
                ],
            )
        self._known |= {probe.key: (probe.answering, probe.at) for probe in fresh}

    def _is_news(self, probe: Probe) -> bool:
        known = self._known.get(probe.key)
        return (
            known is None or known[0] != probe.answering or abs(probe.at - known[1]) >= BEAT_EVERY
        )


def observation(row: sqlite3.Row) -> Observation:
    spawned_at = instant(row["spawned_at"])
    assert spawned_at is not None  # the column is NOT NULL
    return Observation(
        key=row["key"],
        generation=row["generation"],
        ref=None if row["pid"] is None else ProcessRef(row["pid"], row["pid_started_at"]),
        spawned_at=spawned_at,
        exited_at=instant(row["exited_at"]),
        exit_code=row["exit_code"],
        restart_count=row["restart_count"],
        restart_at=instant(row["restart_at"]),
        answering=None if row["answering"] is None else bool(row["answering"]),
        answered=row["answered_at"] is not None,
        answered_at=instant(row["answered_at"]),
    )
