"""AutoML against FLAML's defaults and AutoGluon's medium quality: the same rows, cores and
seconds, judged on rows none of them saw.

They take turns, and run at one priority, so that whatever else the machine does hits all alike.
Quality is compared on one stratified fifth of the Bank Marketing file: another split moves every
engine by more than they differ. Each round is another seed of the search.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain import AutoMLSettings, DataSource, RunStatus, SourceKind
from services.local import processes
from services.local.automl.pool import NICENESS
from services.local.workspace import LocalWorkspace, open_workspace
from tests.bench import environment
from tests.bench.judging import LABEL, judged
from tests.bench.measures import Measure
from tests.bench.results import ROOT
from tests.shared_data import SHARED

ROUNDS = int(os.environ.get("AUTOML_ROUNDS", "5"))  # each takes eleven minutes
SECONDS = [int(each) for each in os.environ.get("AUTOML_SECONDS", "30,60,120").split(",")]
FILE = SHARED / "bankmarketing_train.csv"
HELD_OUT, SPLIT_SEED = 0.2, 42
WANTED = 0.9464  # AUC_weighted on the held-out rows
FIRST_CHILD_S = 5.0

Figures = dict[str, float]
Engine = Callable[[int, int], Figures]  # seconds and seed → what came of it


def measure() -> Iterator[Measure]:
    if not FILE.exists():
        print(f"  skipped: {FILE.name} is not in {FILE.parent}; quality needs the real data")
        return
    with tempfile.TemporaryDirectory() as folder:
        train, held = _split(Path(folder))
        engines, missing = _engines(train, held)
        found: dict[tuple[str, int], list[Figures]] = {}
        for seed in range(ROUNDS):
            for seconds in SECONDS:
                for name, search in engines.items():
                    figures = search(seconds, seed)
                    print(f"  {name} {seconds} s: {figures}", flush=True)
                    found.setdefault((name, seconds), []).append(figures)
    for seconds in SECONDS:
        ours = _median(found, "ours", seconds, "auc")
        for rival in [*engines][1:]:
            yield _compared(seconds, rival, found, ours)
        for rival, reason in missing.items():
            yield Measure(_subject(seconds), ours, None, "AUC_weighted", against=rival, note=reason)
    yield from _times(found, [*engines])
    yield _first_child([each for name, s in found if name == "ours" for each in found[name, s]])


def _compared(
    seconds: int, rival: str, found: dict[tuple[str, int], list[Figures]], ours: float
) -> Measure:
    theirs = _median(found, rival, seconds, "auc")
    took = [_median(found, name, seconds, "s") for name in ("ours", rival)]
    return Measure(
        _subject(seconds),
        ours,
        theirs,
        "AUC_weighted",
        "not below",
        round(ours, 4) >= round(theirs, 4),
        against=rival,
        note=f"took {took[0]:.0f} and {took[1]:.0f} s",
    )


def _subject(seconds: int) -> str:
    return f"AutoML {seconds} s, held-out AUC_weighted"


def _times(found: dict[tuple[str, int], list[Figures]], names: list[str]) -> Iterator[Measure]:
    """The shortest time that is enough, of those that were tried."""
    enough = {
        name: next((s for s in SECONDS if _median(found, name, s, "auc") >= WANTED), None)
        for name in names
    }
    own = enough.pop("ours")
    for rival, theirs in enough.items():
        never = max(SECONDS) + 1
        yield Measure(
            f"AutoML, time to {WANTED} of {', '.join(map(str, SECONDS))} s",
            own,
            theirs,
            "s",
            "not above",
            own is not None and own <= (theirs or never),
            against=rival,
            note="" if theirs else f"not within {max(SECONDS)} s",
        )


def _first_child(ours: list[Figures]) -> Measure:
    first_s = statistics.median(each["first_child_s"] for each in ours)
    return Measure(
        "AutoML, from the click to the first child run",
        first_s,
        None,
        "s",
        f"≤ {FIRST_CHILD_S:.0f} s",
        first_s <= FIRST_CHILD_S,
    )


def _median(
    found: dict[tuple[str, int], list[Figures]], name: str, seconds: int, figure: str
) -> float:
    return statistics.median(each[figure] for each in found[name, seconds])


def _split(home: Path) -> tuple[Path, Path]:
    """The rows to train on and those held out, as files."""
    import pandas as pd
    from sklearn.model_selection import train_test_split

    frame = pd.read_csv(FILE)
    parts = train_test_split(
        frame, test_size=HELD_OUT, stratify=frame[LABEL], random_state=SPLIT_SEED
    )
    paths = home / "train.csv", home / "held.csv"
    for part, path in zip(parts, paths, strict=True):
        part.to_csv(path, index=False)
    return paths


# --- engines ----------------------------------------------------------------------


def _engines(train: Path, held: Path) -> tuple[dict[str, Engine], dict[str, str]]:
    """Ours first, and why those that are missing are."""
    engines: dict[str, Engine] = {
        "ours": lambda seconds, seed: _ours(train, held, seconds, seed),
        "FLAML defaults": _rival(Path(sys.executable), "search_flaml", train, held),
    }
    name = "AutoGluon medium quality"
    try:
        engines[name] = _rival(environment.python("autogluon"), "search_autogluon", train, held)
    except environment.MissingError as error:
        print(f"  {error}", flush=True)
        return engines, {name: str(error)}
    return engines, {}


def _rival(python: Path, module: str, train: Path, held: Path) -> Engine:
    def search(seconds: int, seed: int) -> Figures:
        command = [python, "-W", "ignore", "-m", f"tests.bench.{module}", train, held]
        done = subprocess.run(
            [*command, str(seconds), str(seed)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            preexec_fn=lambda: os.nice(NICENESS),  # as our own fits
        )
        assert done.returncode == 0, done.stderr
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        return figures

    return search


def _ours(train: Path, held: Path, timeout_s: int, seed: int) -> Figures:
    """What the best child answers, and how long the first one took to appear."""
    with tempfile.TemporaryDirectory() as folder, _supervised(Path(folder)) as workspace:
        source = DataSource(kind=SourceKind.PATH, location=str(train))
        dataset = workspace.datasets.register("bank", source)
        began = time.monotonic()
        run = workspace.runs.begin_automl(
            AutoMLSettings(
                experiment="bench",
                dataset_id=dataset.id,
                label_column_name=LABEL,
                experiment_timeout_minutes=timeout_s / 60,
                seed=seed,
            )
        )
        while not workspace.runs.children(run.id):
            time.sleep(0.05)
        first_child_s = time.monotonic() - began
        while not (run := workspace.runs.get(run.id)).status.settled:
            time.sleep(0.2)
        taken_s = time.monotonic() - began
        if run.status is not RunStatus.COMPLETED or run.best_child_id is None:
            raise RuntimeError(workspace.runs.logs(run.id).text)
        model = pickle.loads(workspace.runs.file(run.best_child_id, "outputs/model.pkl"))
        return {**judged(model, held), "s": taken_s, "first_child_s": first_child_s}


@contextmanager
def _supervised(home: Path) -> Iterator[LocalWorkspace]:
    workspace = open_workspace(home)
    supervisor = processes.spawn(
        "services.local.supervisor", str(home), "--lifeline", log=home / "logs" / "supervisor.log"
    )
    time.sleep(3)  # it is at work before the click, as with a dashboard that is open
    try:
        yield workspace
    finally:
        os.kill(supervisor.pid, signal.SIGTERM)
        supervisor.wait(timeout=60)
