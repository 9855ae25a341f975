"""Processes that fit candidates side by side, each on one thread.

They are spawned, not forked: a fork after OpenMP was used hangs. Each ends with the
process that started it, however that one ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.local.automl.jobs import Done, Job

# Must be in the environment before the first library that uses OpenMP is loaded.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
NICENESS = 5  # the dashboard and the scoring servers go first


class Pool:
    """Up to `size` processes. `restart` replaces them all, whatever they are doing."""

    def __init__(self, folder: Path, size: int) -> None:
        self.size = size
        self._folder = folder
        self._executor = self._start()

    def submit(self, job: Job) -> Future[Done]:
        return self._executor.submit(_run, self._folder, job)

    def restart(self) -> None:
        self.stop()
        self._executor = self._start()

    def stop(self) -> None:
        """End the processes now; jobs that were running are lost."""
        processes = list((self._executor._processes or {}).values())
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            with contextlib.suppress(AssertionError):  # it had never started
                process.join(timeout=5)

    def _start(self) -> ProcessPoolExecutor:
        os.environ.update(ONE_THREAD)
        executor = ProcessPoolExecutor(
            self.size, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare
        )
        for _ in range(self.size):  # start them now: they import while we read the data
            executor.submit(os.getpid)
        return executor


def processor_count() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def _prepare() -> None:
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    os.nice(NICENESS)
    # What the first candidate needs; the others bring theirs.
    import lightgbm  # noqa: F401

    from services.local.automl import jobs  # noqa: F401


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(folder: Path, job: Job) -> Done:
    from services.local.automl import jobs

    return jobs.run(folder, job)
