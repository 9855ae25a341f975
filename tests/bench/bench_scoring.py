"""Scoring: our server against Azure's own, with the pandas script AutoML writes, and against
MLflow's, all with the same model.

CPU per request of all processes on each side, since a busy machine makes walls of them. All
are asked over kept connections, with a key check on ours, whole requests included.
"""

from __future__ import annotations

import http.client
import json
import os
import pickle
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from services import data_contract
from services.local import score_script
from tests import azure_server
from tests.bench import environment
from tests.bench.measures import ROUNDS, Measure, alternating
from tests.bench.results import ROOT
from tests.e2e.running import free_port
from tests.recorded import deployments as recorded
from tests.scoring_home import ScoringHome

TRAIN_ROWS = 4_000
REQUESTS = {1: (600, 60), 100: (60, 25)}  # rows per request → requests to ours, to theirs
PARTS = {1: 30, 100: 8}  # rows per request → the part of theirs that ours may cost
ONE_ROW_MS = 1.0
AZURE, MLFLOW = "azureml-inference-server-http, pandas script", "mlflow models serve"
START_LIMIT_S = 180.0

Ask = Callable[[list[Any], int], float]  # rows and how often to send them → CPU ms per request


def measure() -> Iterator[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        for name, estimator in (("LightGBM", _lightgbm), ("vote of five", _vote)):
            place = Path(folder) / name.replace(" ", "-")
            model, rows = _model(place / "model", estimator)
            with _ours(place / "workspace", model) as ours:
                for rival, serving in ((AZURE, _azure), (MLFLOW, _mlflow)):
                    try:
                        with serving(model, place) as theirs:
                            yield from _compared(name, rows, ours, theirs, rival)
                    except environment.MissingError as error:
                        print(f"  skipped: {error}", flush=True)
                        yield from _alone(name, rows, ours, rival, str(error))


def _compared(name: str, rows: list[Any], ours: Ask, theirs: Ask, rival: str) -> Iterator[Measure]:
    for count, (to_ours, to_theirs) in REQUESTS.items():
        sent = rows[:count]
        ours(sent, 20), theirs(sent, 3)  # warm
        own, other = alternating(
            lambda sent=sent, n=to_ours: ours(sent, n),
            lambda sent=sent, n=to_theirs: theirs(sent, n),
        )
        part = PARTS[count]
        # Of many rows on many members, what trees cost anyone is most of it on all sides.
        counts = name == "LightGBM"
        yield Measure(
            _subject(count, name),
            own,
            other,
            "ms CPU",
            f"≤ 1/{part}" if counts else "",
            own <= other / part if counts else None,
            against=rival,
            detail=not counts,
        )
        if count == 1 and rival == AZURE:
            yield _one_request(name, own)


def _one_request(name: str, own: float) -> Measure:
    aim = f"≤ {ONE_ROW_MS:g} ms"
    subject = f"One scoring request, {name}"
    return Measure(subject, own, None, "ms CPU", aim, own <= ONE_ROW_MS, detail=True)


def _alone(name: str, rows: list[Any], ours: Ask, rival: str, reason: str) -> Iterator[Measure]:
    for count, (to_ours, _) in REQUESTS.items():
        own = statistics.median(ours(rows[:count], to_ours) for _ in range(ROUNDS))
        subject, detail = _subject(count, name), name != "LightGBM"
        yield Measure(subject, own, None, "ms CPU", against=rival, note=reason, detail=detail)


def _subject(count: int, name: str) -> str:
    return f"Scoring {'1 row' if count == 1 else f'{count} rows'}, {name}"


# --- servers ---


@contextmanager
def _ours(home: Path, model: Path) -> Iterator[Ask]:
    workspace = ScoringHome(home)
    (home / "models" / "bank").mkdir(parents=True)
    (home / "models" / "bank" / "1").symlink_to(model)
    recorded.model(home, workspace.workspace.store, "bank:1")
    workspace.start()
    try:
        workspace.deploy("bank")
        server = workspace.server("bank")
        deployment = workspace.deployments.get("bank")
        key = workspace.deployments.keys("bank").primary
        print(f"  served by {deployment.properties['core']}", flush=True)
        yield _asking(str(deployment.scoring_uri), lambda: sum(server.cpu_times()[:2]), key=key)
    finally:
        workspace.end()


@contextmanager
def _azure(model: Path, place: Path) -> Iterator[Ask]:
    with azure_server.serving(model, place / "azure") as server:
        yield _asking(f"{server.uri}/score", server.cpu_s)


@contextmanager
def _mlflow(model: Path, place: Path) -> Iterator[Ask]:
    port, log = free_port(), place / "mlflow.log"
    python = environment.python("mlflow")
    command = [python, "-m", "tests.bench.serve_mlflow", model, place]
    surroundings = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",  # it starts uvicorn by name
    }
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*command, str(port)], cwd=ROOT, env=surroundings, stdout=output, stderr=output
        )
    server = azure_server.AzureServer(f"http://127.0.0.1:{port}", psutil.Process(child.pid))
    try:
        _wait(f"{server.uri}/health", child, log)
        yield _asking(f"{server.uri}/invocations", server.cpu_s, wrapped_in="dataframe_records")
    finally:
        with suppress(psutil.NoSuchProcess):
            for each in [*server.process.children(recursive=True), server.process]:
                each.terminate()
        child.wait(timeout=30)


def _wait(address: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        with suppress(OSError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        assert child.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def _asking(
    uri: str, cpu_s: Callable[[], float], *, key: str | None = None, wrapped_in: str = "data"
) -> Ask:
    """One kept connection, each request in one piece: the client is not what is measured."""
    address = urlsplit(uri)
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"

    def ask(rows: list[Any], count: int) -> float:
        body = json.dumps({wrapped_in: rows}).encode()
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        before = cpu_s()
        for _ in range(count):
            connection.request("POST", address.path, body, headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
        return (cpu_s() - before) / count * 1000

    return ask


# --- models ---


def _model(folder: Path, estimator: Callable[[], Any]) -> tuple[Path, list[Any]]:
    """A trained model on the synthetic Bank Marketing rows, and rows to send."""
    from services.local import synthetic_bank

    frame = synthetic_bank.frame(TRAIN_ROWS)
    contract = data_contract.from_frame(frame, label="y")
    features = frame.drop(columns="y")
    model = estimator().fit(features, frame["y"])
    folder.mkdir(parents=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "contract.json").write_text(data_contract.to_json(contract))
    rows = json.loads(features.head(1500).to_json(orient="records"))
    (folder / "sample_rows.json").write_text(json.dumps(rows))
    score_script.write_scoring_files(folder, contract)
    return folder, rows


def _featurized(model: Any) -> Any:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder

    words = make_column_selector(dtype_exclude="number")
    numbers = make_column_selector(dtype_include="number")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer((encoder, words), (MaxAbsScaler(), numbers)), model
    )


def _lightgbm() -> Any:
    from lightgbm import LGBMClassifier

    return _featurized(LGBMClassifier(n_estimators=200, num_leaves=31, n_jobs=1, verbose=-1))


def _vote() -> Any:
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        RandomForestClassifier,
        VotingClassifier,
    )
    from sklearn.linear_model import LogisticRegression
    from xgboost import XGBClassifier

    members = [
        ("lightgbm", LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1)),
        ("xgboost", XGBClassifier(n_estimators=200, n_jobs=1)),
        ("histograms", HistGradientBoostingClassifier()),  # which ONNX cannot express
        ("forest", RandomForestClassifier(100, min_samples_leaf=5, n_jobs=1, random_state=1)),
        ("logistic", LogisticRegression(max_iter=300)),
    ]
    return _featurized(VotingClassifier(members, voting="soft", n_jobs=1))
