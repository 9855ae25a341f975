"""Child processes, named so that they are never mistaken for somebody else's.

A process is remembered by its pid together with its start time. The system
reuses pids; it never reuses the pair. We signal nothing we did not start.

The start time is counted from the start of the machine where the system tells it so.
The time of day would not do: every process would seem to be another one as soon as the
clock is set, or merely kept right by a time server.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class ProcessRef:
    pid: int
    started_at: float  # seconds, comparable only with those of the same pid: see `_started_at`


def spawn(
    module: str, *args: str, log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Run ``python -m module *args`` in a session of its own, writing to `log`.

    Standard input is the lifeline: it ends when the caller closes it or dies.
    Output goes to a file, never a pipe, since nobody may be left to drain it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *args],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def reference(pid: int) -> ProcessRef | None:
    """The name of a running process, or None when it is already gone."""
    try:
        return ProcessRef(pid, _started_at(psutil.Process(pid)))
    except psutil.NoSuchProcess:
        return None


def alive(ref: ProcessRef) -> bool:
    try:
        process = psutil.Process(ref.pid)
        same = _started_at(process) == ref.started_at
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(ref: ProcessRef, *, grace_s: float = 5.0) -> None:
    """End it: SIGTERM, then SIGKILL after `grace_s`, its own children too."""
    try:
        process = psutil.Process(ref.pid)
        if _started_at(process) != ref.started_at:
            return
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return
    _, stubborn = psutil.wait_procs(family, timeout=grace_s)
    for each in stubborn:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(stubborn, timeout=grace_s)


def _started_at(process: psutil.Process) -> float:
    """Where there is a ``/proc``: since this very boot. Elsewhere: since the epoch.

    Source: proc(5), field 22 of ``/proc/PID/stat``; random(4), ``boot_id``.
    """
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_bytes().rpartition(b")")[2].split()
    except FileNotFoundError:
        return float(process.create_time())
    except ProcessLookupError as error:  # it ended while we looked
        raise psutil.NoSuchProcess(process.pid) from error
    return _boot() + int(fields[19]) / _TICKS_PER_S


@cache
def _boot() -> int:
    """A number of this boot of the machine."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
    except OSError:
        return 0
    return int(text.strip().replace("-", "")[:8], 16)


_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def tail(path: Path, line_count: int) -> tuple[str, bool]:
    """The last lines of a text file, and whether they are all of it. Reads no more than needed."""
    try:
        with path.open("rb") as file:
            position = file.seek(0, os.SEEK_END)
            chunks: list[bytes] = []
            newlines = 0
            while position > 0 and newlines <= line_count:
                size = min(65_536, position)
                position -= size
                file.seek(position)
                chunk = file.read(size)
                newlines += chunk.count(b"\n")
                chunks.append(chunk)
    except FileNotFoundError:
        return "", True
    lines = b"".join(reversed(chunks)).decode("utf-8", "replace").splitlines(keepends=True)
    return "".join(lines[-line_count:]), position == 0 and len(lines) <= line_count
