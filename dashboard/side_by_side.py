"""Independent questions of one page asked at the same time, where each costs a round trip."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from streamlit.runtime.scriptrunner import (
    ScriptRunContext,
    add_script_run_ctx,
    get_script_run_ctx,
)

from dashboard import economy

T = TypeVar("T")
AT_ONCE = 16  # of all sessions together

_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reads")


def ask(questions: Sequence[Callable[[], T]]) -> list[T]:
    """Their answers in order; the first failure is raised. One after the other when local."""
    if not economy.metered():
        return [question() for question in questions]
    return [future.result() for future in _begun(questions)]


def unawaited(act: Callable[[], object]) -> None:
    """Do what nobody waits for, where it may take a round trip; at once when local."""
    if not economy.metered():
        act()
    else:
        _pool.submit(_within(get_script_run_ctx(suppress_warning=True), act))


def ahead(*reads: Callable[[], object]) -> None:
    """Let `dashboard.reads` remember what this page is about to read, failures too.

    Whoever reads it then is told; a local workspace answers fast enough by itself.
    """
    if economy.metered():
        _begun(reads)


def _begun(questions: Sequence[Callable[[], T]]) -> list[Future[T]]:
    context = get_script_run_ctx(suppress_warning=True)
    futures = [_pool.submit(_within(context, question)) for question in questions]
    wait(futures)
    return futures


def _within(context: ScriptRunContext | None, question: Callable[[], T]) -> Callable[[], T]:
    """`question`, asked as part of this script run."""

    def asked() -> T:
        add_script_run_ctx(threading.current_thread(), context)
        return question()

    return asked
