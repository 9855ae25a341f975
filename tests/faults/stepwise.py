"""Carries out an operation in a process of its own that kills itself at a chosen step.

A step is a statement given to SQLite, or a file of the workspace that is opened for
writing, moved, made or removed. Killing at the first step, then at the second, and so on
until the operation comes through visits every state a crash can leave behind.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Operation = Callable[[Path], object]

_EVENTS = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.copyfile"})
_WRITING = os.O_WRONLY | os.O_RDWR
_PRELOADED = ("services.local.workspace", "services.local.duties", "pandas", "pyarrow.parquet")
LIMIT_S = 120.0


class _Countdown:
    """Ends this process, as SIGKILL does, when its last step has come."""

    left = -1  # never

    @classmethod
    def step(cls) -> None:
        cls.left -= 1
        if cls.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Counted(sqlite3.Connection):
    def execute(self, *args: Any) -> sqlite3.Cursor:
        _Countdown.step()
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        _Countdown.step()
        return super().executemany(*args)


def _audited(event: str, args: tuple[Any, ...]) -> None:
    if event == "open":
        flags = args[2]
        if isinstance(flags, int) and flags & _WRITING and isinstance(args[0], str | bytes):
            _Countdown.step()
    elif event in _EVENTS:
        _Countdown.step()


def _perform(operation: Operation, home: Path, step: int) -> None:
    connect = sqlite3.connect

    def counted(*args: Any, **options: Any) -> sqlite3.Connection:
        return connect(*args, factory=_Counted, **options)

    sqlite3.connect = counted  # type: ignore[assignment]
    sys.addaudithook(_audited)
    _Countdown.left = step
    operation(home)


def killed_at(operation: Operation, home: Path, step: int) -> bool:
    """Whether `operation` was killed at its `step`; False: it came through before.

    Args:
        operation: a function of a module, since another process imports it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOADED, operation.__module__])
    child = context.Process(target=_perform, args=(operation, home, step))
    child.start()
    child.join(LIMIT_S)
    if child.exitcode is None:
        child.kill()
        child.join()
        raise AssertionError(f"{operation.__name__} hung after being killed at step {step - 1}")
    assert child.exitcode in (0, -signal.SIGKILL), f"step {step}: exit code {child.exitcode}"
    return child.exitcode != 0


def at_each_step(
    operation: Operation, home: Path, check: Callable[[int], object], *, every: int = 1
) -> int:
    """Kill `operation` at one step after the other on one workspace, checking after each.

    Returns:
        How often it was killed before it came through.
    """
    count, step = 0, 1
    while killed_at(operation, home, step):
        count += 1
        check(step)
        step += every
    check(0)
    return count
