"""Child processes, named so that they are never mistaken for somebody else's.

A process is remembered by its pid together with its start time. The system
reuses pids; it never reuses the pair. We signal nothing we did not start.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class ProcessRef:
    pid: int
    started_at: float  # seconds since the epoch, as the system reports it


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
        return ProcessRef(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def alive(ref: ProcessRef) -> bool:
    try:
        process = psutil.Process(ref.pid)
        same = bool(process.create_time() == ref.started_at)
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(ref: ProcessRef, *, grace_s: float = 5.0) -> None:
    """End it: SIGTERM, then SIGKILL after `grace_s`, its own children too."""
    try:
        process = psutil.Process(ref.pid)
        if process.create_time() != ref.started_at:
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
