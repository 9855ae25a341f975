"""Scoring: our server against Azure's own with the pandas script AutoML writes, same model.

CPU per request of all processes on each side, since a busy machine makes walls of them. Both
are asked over kept connections with a key check on ours, whole requests included.
"""

from __future__ import annotations

import http.client
import json
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from services import data_contract
from services.local import score_script
from tests import azure_server
from tests.bench.measures import Measure, alternating
from tests.recorded import deployments as recorded
from tests.scoring_home import ScoringHome

TRAIN_ROWS = 4_000
ROUNDS = 3
REQUESTS = {1: (600, 60), 100: (60, 25)}  # rows per request → requests to ours, to theirs
ONE_ROW_GOAL_MS = 1.0


def measure() -> Iterator[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        for name, estimator in (("LightGBM", _lightgbm), ("vote of five", _vote)):
            place = Path(folder) / name.replace(" ", "-")
            model, rows = _model(place / "model", estimator)
            with _ours(place / "workspace", model) as ours, _theirs(model, place) as theirs:
                yield from _compared(name, rows, ours, theirs)


Ask = Callable[[bytes, int], float]  # a body and how often to send it → CPU ms per request


def _compared(name: str, rows: list[Any], ours: Ask, theirs: Ask) -> Iterator[Measure]:
    for count, (to_ours, to_theirs) in REQUESTS.items():
        body = json.dumps({"data": rows[:count]}).encode()
        ours(body, 20), theirs(body, 3)  # warm
        own, other = alternating(
            lambda body=body, n=to_ours: ours(body, n),
            lambda body=body, n=to_theirs: theirs(body, n),
            rounds=ROUNDS,
        )
        size = "1 row" if count == 1 else f"{count} rows"
        # Of many rows on many members, what trees cost anyone is most of it on both sides.
        goal = "" if count > 1 and name != "LightGBM" else "a tenth of Azure’s"
        met = own <= other / 10 if goal else None
        yield Measure(f"Scoring {size}, {name}", own, other, "ms CPU", goal, met)
        if count == 1:
            least = min(ours(body, to_ours) for _ in range(ROUNDS))
            goal, met = f"at most {ONE_ROW_GOAL_MS:g} ms", least <= ONE_ROW_GOAL_MS
            yield Measure(f"One request, {name}", least, ONE_ROW_GOAL_MS, "ms CPU", goal, met)


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
        yield _asking(str(deployment.scoring_uri), lambda: sum(server.cpu_times()[:2]), key)
    finally:
        workspace.end()


@contextmanager
def _theirs(model: Path, place: Path) -> Iterator[Ask]:
    with azure_server.serving(model, place / "azure") as server:
        yield _asking(f"{server.uri}/score", server.cpu_s, None)


def _asking(uri: str, cpu_s: Callable[[], float], key: str | None) -> Ask:
    """One kept connection, each request in one piece: the client is not what is measured."""
    address = urlsplit(uri)
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"

    def ask(body: bytes, count: int) -> float:
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
