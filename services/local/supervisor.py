"""Keeps running what should run: ``python -m services.local.supervisor HOME [--lifeline]``.

Exactly one per workspace, by a lock that a crash releases. Its children hold a pipe
to it, so none of them outlives it; whatever it finds recorded as running when it
starts is therefore gone or going, and is started anew if it is still wanted.
"""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from services.errors import ServiceError
from services.local import lifeline, processes
from services.local.clock import Clock, utc_now
from services.local.duty import Duty, Exit, ExitCause, Program
from services.local.process_table import ProcessTable
from services.local.store import Store
from services.local.supervised import Child, Probes

log = logging.getLogger(__name__)

ALREADY_RUNNING = 75  # exit code: another supervisor holds the workspace (EX_TEMPFAIL)
LOOK_EVERY_S = 0.25
STEP_EVERY_S = 1.0  # when nothing was decided and nothing is under way
LOG_TAIL_LINES = 40


class Supervisor:
    """One step looks at everything once; `run` repeats it until told to stop."""

    def __init__(
        self, duties: Sequence[Duty], table: ProcessTable, *, clock: Clock = utc_now
    ) -> None:
        self._duties = duties
        self._table = table
        self._clock = clock
        self._children: dict[str, Child] = {}
        self._owners: dict[str, Duty] = {}
        self._told: set[tuple[str, str]] = set()  # ends, by key and generation
        self._unrecorded: set[str] = set()  # started, while the store could not be written
        self._probes = Probes()

    def recover(self) -> None:
        """End what an earlier supervisor left behind, and tell the duties it is gone."""
        owners = {program.key: duty for duty in self._duties for program in _asked(duty)}
        for lost in self._table.unfinished():
            log.info("recovering %s, left by an earlier supervisor", lost.key)
            if lost.ref is not None:
                processes.stop(lost.ref, grace_s=1.0)
            self._table.exited(lost.key, code=None, at=self._clock())
            if lost.key in owners:
                self._tell(
                    owners[lost.key],
                    Exit(
                        key=lost.key,
                        generation=lost.generation,
                        cause=ExitCause.LOST,
                        code=None,
                        answered=lost.answered,
                        recent_count=0,
                        log_tail="",
                        at=self._clock(),
                    ),
                )

    def step(self) -> None:
        """Reap, decide, stop, start, probe."""
        now = self._clock()
        self._reap(now)
        self._record_started()
        wanted = self._wanted(now)
        for key, child in self._children.items():
            program = wanted.get(key)
            if program is None or program.generation != child.program.generation:
                child.ask_to_stop()
            else:
                child.program = program  # its health URL may have become known
        for key, program in wanted.items():
            if key in self._children:
                continue
            if self._table.may_start(program, now):
                self._start(program, now)
            elif not program.server:
                self._tell_of_forgotten(program, now)
        self._table.probed(self._probes.take(self._children.values(), now))

    def run(self, stopping: threading.Event) -> None:
        """Step at once when something was decided, started or ended; else now and then.

        While the store cannot be read or written, for instance because the disk is full,
        what runs goes on running, and what could not be done is tried again.
        """
        watch = self._table.watch()
        recovered, next_step = False, 0.0
        trouble = ""
        while not stopping.is_set():
            try:
                if not recovered:
                    self.recover()
                    recovered = True
                if watch.changed() or self._under_way() or time.monotonic() >= next_step:
                    next_step = time.monotonic() + STEP_EVERY_S
                    self.step()
                    self._table.beat(self._clock())
                    trouble = ""
            except ServiceError as error:
                if str(error) != trouble:
                    log.error("what runs goes on, the rest is tried again: %s", error)
                trouble = str(error)
                stopping.wait(STEP_EVERY_S)
            stopping.wait(LOOK_EVERY_S)
        watch.close()
        self.shut_down()

    def _under_way(self) -> bool:
        return any(child.unsettled for child in self._children.values())

    def shut_down(self) -> None:
        """Stop every child, each within its own grace."""
        for child in self._children.values():
            child.ask_to_stop(ExitCause.SHUTDOWN)
        while self._children:
            try:
                self._reap(self._clock())
            except ServiceError as error:  # the next supervisor finds out how they ended
                log.error("%s; it is stopped without a record", error)
                self._children = {
                    key: child for key, child in self._children.items() if child.ended() is None
                }
            time.sleep(0.02)
        self._probes.close()

    def _wanted(self, now: datetime) -> dict[str, Program]:
        wanted: dict[str, Program] = {}
        for duty in self._duties:
            try:
                duty.tick(now)
                programs = duty.programs()
            except Exception:  # one kind of work must not take the others down
                log.exception("%s failed; it is asked again", type(duty).__name__)
                wanted |= {
                    key: child.program
                    for key, child in self._children.items()
                    if self._owners[key] is duty
                }
                continue
            for program in programs:
                wanted[program.key] = program
                self._owners[program.key] = duty
        return wanted

    def _start(self, program: Program, now: datetime) -> None:
        log.info("starting %s (%s)", program.key, program.generation)
        self._table.starting(program, now)
        try:
            popen = processes.spawn(program.module, *program.args, log=program.log, env=program.env)
        except OSError as error:  # the disk is full, or there are too many processes
            log.error("%s cannot be started: %s", program.key, error)
            self._table.exited(program.key, code=None, at=now, backing_off=True)
            return
        self._children[program.key] = Child(program, popen)
        self._unrecorded.add(program.key)
        self._record_started()

    def _record_started(self) -> None:
        for key in tuple(self._unrecorded):
            if key in self._children:
                self._table.started(key, processes.reference(self._children[key].pid))
            self._unrecorded.discard(key)

    def _tell_of_forgotten(self, program: Program, now: datetime) -> None:
        """A worker that has ended, is not begun twice, and whose duty was never told: the
        supervisor was killed in between, or the store could not be written."""
        seen = self._table.observed(program.key)
        if (
            seen is None
            or seen.exited_at is None
            or (program.key, program.generation) in self._told
        ):
            return
        log.info("%s ended, and nobody was told", program.key)
        self._tell(
            self._owners[program.key],
            Exit(
                key=program.key,
                generation=program.generation,
                cause=ExitCause.ITSELF if seen.exit_code is not None else ExitCause.LOST,
                code=seen.exit_code,
                answered=seen.answered,
                recent_count=0,
                log_tail=processes.tail(program.log, LOG_TAIL_LINES)[0],
                at=now,
            ),
        )

    def _reap(self, now: datetime) -> None:
        for key, child in list(self._children.items()):
            code = child.ended()
            if code is None:
                continue
            recent = self._table.exited(
                key, code=code, at=now, backing_off=child.cause is ExitCause.ITSELF
            )
            del self._children[key]
            log.info("%s ended with %s: %s", key, code, child.cause)
            text, _ = processes.tail(child.program.log, LOG_TAIL_LINES)
            self._tell(
                self._owners[key],
                Exit(
                    key=key,
                    generation=child.program.generation,
                    cause=child.cause,
                    code=code,
                    answered=child.answered,
                    recent_count=recent,
                    log_tail=text,
                    at=now,
                ),
            )

    def _tell(self, duty: Duty, exit: Exit) -> None:
        """Once; where the store cannot be written at the moment, again at the next step."""
        try:
            duty.exited(exit)
        except ServiceError as error:
            log.error("the end of %s is told again: %s", exit.key, error)
            return
        except Exception:
            log.exception("%s could not record the end of %s", type(duty).__name__, exit.key)
        self._told.add((exit.key, exit.generation))


def _asked(duty: Duty) -> Iterable[Program]:
    try:
        return duty.programs()
    except Exception:
        log.exception("%s failed while the workspace was recovered", type(duty).__name__)
        return ()


def hold_workspace(home: Path) -> int | None:
    """The descriptor of the workspace's lock, or None when another supervisor holds it.

    Keep it open for as long as the process lives; the system releases it after any end.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(home / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="services.local.supervisor", description=__doc__)
    parser.add_argument("home", type=Path, help="the workspace's folder")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input ends")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    home: Path = options.home.expanduser().resolve()
    if hold_workspace(home) is None:
        log.info("another supervisor runs the workspace %s", home)
        return ALREADY_RUNNING
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if options.lifeline:
        lifeline.follow()
    from services.local.duties import duties  # after the lock: the loser need not import it

    store = Store(home / "workspace.db")
    table = ProcessTable(store)
    table.supervised_by(processes.reference(os.getpid()), utc_now())
    log.info("supervising %s", home)
    Supervisor(duties(home, store), table).run(stopping)
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
