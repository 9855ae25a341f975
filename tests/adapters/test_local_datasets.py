"""What only the local workspace can get wrong about datasets: files, downloads, samples."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest

from services import tabular
from services.domain import DataSource, SourceKind
from services.errors import (
    InvalidRequestError,
    NotFoundError,
    OperationFailedError,
    UnavailableError,
)
from services.local import dataset_files, samples, synthetic_bank
from services.local.audit import LocalAuditLog
from services.local.datasets import LocalDatasets
from services.local.store import Store
from tests.shared_data import shared_data

TEXT = b"age,job\n37,admin.\n41,retired\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace.db")


@pytest.fixture
def datasets(tmp_path: Path, store: Store) -> LocalDatasets:
    return LocalDatasets(tmp_path, store)


def upload(content: bytes = TEXT, **options) -> DataSource:
    return DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=content, **options)


# --- files ------------------------------------------------------------------------


def test_the_original_file_is_kept_as_it_came(datasets, tmp_path):
    content = "cidade;n\r\nÉvora;1,5\r\n".encode("latin-1")

    datasets.register("places", upload(content))

    assert (tmp_path / "datasets/places/1/original.csv").read_bytes() == content


def test_nothing_is_left_of_a_registration_that_was_refused(datasets, tmp_path):
    with pytest.raises(InvalidRequestError):
        datasets.register("places", upload(b"a,b\n1\n"))

    assert not [path for path in tmp_path.rglob("*") if path.name == "data.parquet"]


def test_a_version_whose_files_cannot_be_placed_is_not_registered(datasets, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)

    with pytest.raises(OperationFailedError, match="the disk is full"):
        datasets.register("bank", upload())

    with pytest.raises(NotFoundError):
        datasets.get("bank")
    assert not any((tmp_path / "datasets/.incoming").iterdir())


def test_what_a_crash_left_in_the_place_of_a_version_is_replaced(datasets, tmp_path, monkeypatch):
    def power_cut(*args, **kwargs):
        raise KeyboardInterrupt

    # The files are in place, and the row is not yet committed.
    publish = dataset_files.DatasetFiles.publish
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(
            dataset_files.DatasetFiles,
            "publish",
            lambda *args: (publish(*args), power_cut()),
        )
        datasets.register("bank", upload(b"a\n1\n"))
    assert (tmp_path / "datasets/bank/1").exists()

    dataset = datasets.register("bank", upload())

    assert dataset.version == 1
    assert datasets.frame("bank", 1)["age"].tolist() == [37, 41]


def test_registrations_at_the_same_time_get_versions_of_their_own(tmp_path, store):
    def register(number: int):
        port = LocalDatasets(tmp_path, store)
        return port.register("bank", upload(b"n\n%d\n" % number)).version, number

    with ThreadPoolExecutor(4) as pool:
        made = dict(pool.map(register, range(8)))

    port = LocalDatasets(tmp_path, store)
    assert sorted(made) == list(range(1, 9))
    assert {v: port.frame("bank", v)["n"].tolist()[0] for v in made} == made


def test_files_removed_behind_our_back_are_an_error_and_not_an_empty_dataset(datasets, tmp_path):
    datasets.register("bank", upload())
    for path in (tmp_path / "datasets/bank/1").iterdir():
        path.unlink()

    for ask in (datasets.frame, datasets.profile, datasets.contract):
        with pytest.raises(OperationFailedError, match="bank:1.*register it again"):
            ask("bank", 1)
    with pytest.raises(OperationFailedError, match="bank:1"):
        datasets.head("bank", 1, 5)


def test_a_damaged_file_is_an_error_that_says_so(datasets, tmp_path):
    datasets.register("bank", upload())
    (tmp_path / "datasets/bank/1/data.parquet").write_bytes(b"PAR1 garbage PAR1")

    with pytest.raises(OperationFailedError, match="damaged"):
        datasets.frame("bank", 1)


def test_a_registration_is_in_the_audit_log(datasets, store):
    datasets.register("bank", upload())

    (event,) = LocalAuditLog(store).list()

    assert (event.action, event.subject) == ("dataset.register", "dataset/bank:1")
    assert event.after["row_count"] == 2


def test_a_worker_gets_every_row_in_plain_types(datasets):
    datasets.register(
        "t", upload(b"n,x,gap,s,b,d\n1,1.5,,a,true,2024-01-01\n2,2,3,,false,2024-01-02\n")
    )

    frame = datasets.frame("t", 1)

    assert [str(kind) for kind in frame.dtypes] == [
        "int64", "float64", "float64", "str", "bool", "datetime64[us]",
    ]  # fmt: skip
    assert frame["s"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pd.DataFrame({"x": [[1], [2]]}), "“x” holds values of type list"),
        (pd.DataFrame({"x": [float("inf"), 1.0]}), "“x” holds infinite values"),
        (pd.DataFrame({"x": [b"a"]}), "“x” holds values of type binary"),
        (pd.DataFrame({"x": []}), "no rows"),
        (pd.DataFrame({"x": [2**64 - 1]}, dtype="uint64"), "out of range"),
    ],
)
def test_a_parquet_file_we_have_no_types_for_is_refused(datasets, tmp_path, frame, reason):
    path = tmp_path / "x.parquet"
    frame.to_parquet(path)

    with pytest.raises(InvalidRequestError, match=reason):
        datasets.register("x", DataSource(kind=SourceKind.PATH, location=str(path)))


def test_the_unusual_types_of_parquet_become_ours(datasets, tmp_path):
    path = tmp_path / "x.parquet"
    frame = pd.DataFrame(
        {
            "small": pd.Series([1, 2], dtype="int8"),
            "gap": pd.Series([1, None], dtype="Int64"),
            "kind": pd.Categorical(["a", "b"]),
            "flag": pd.Series([True, None], dtype="boolean"),
            "zoned": pd.to_datetime(["2024-01-01T12:00:00+02:00"] * 2),
        }
    )
    frame.set_index(pd.Index(["p", "q"])).to_parquet(path)

    datasets.register("x", DataSource(kind=SourceKind.PATH, location=str(path)))

    found = datasets.frame("x", 1)
    assert found["small"].tolist() == [1, 2]
    assert found["gap"].isna().tolist() == [False, True]
    assert found["kind"].tolist() == ["a", "b"]
    assert found["flag"].iloc[0] == "true"
    assert str(found["zoned"][0]) == "2024-01-01 10:00:00"
    assert list(found.columns) == ["small", "gap", "kind", "flag", "zoned"]


# --- downloads --------------------------------------------------------------------


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = int(self.path.rsplit("/", 1)[-1])
        self.send_response(status)
        self.end_headers()
        self.wfile.write(TEXT)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = HTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def url(location: str) -> DataSource:
    return DataSource(kind=SourceKind.URL, location=location)


def test_a_url_is_downloaded(datasets, server):
    dataset = datasets.register("web", url(f"{server}/200"))

    assert dataset.row_count == 2
    assert dataset.source == f"{server}/200"


def test_a_url_that_is_gone_is_refused_and_one_that_fails_is_unavailable(datasets, server):
    with pytest.raises(InvalidRequestError, match="answered 404"):
        datasets.register("web", url(f"{server}/404"))
    with pytest.raises(UnavailableError, match="answered 503"):
        datasets.register("web", url(f"{server}/503"))


def test_a_download_stops_at_the_limit(datasets, server, monkeypatch):
    monkeypatch.setattr("services.sources.CONTENT_LIMIT_BYTES", 10)

    with pytest.raises(InvalidRequestError, match="accepted"):
        datasets.register("web", url(f"{server}/200"))


# --- samples ----------------------------------------------------------------------


def test_the_digest_of_the_download_is_that_of_the_published_rows():
    rows = tabular.read(shared_data("bankmarketing_train.csv").read_bytes()).table

    assert samples.content_digest(rows) == samples.CONTENT_SHA256


def test_a_copy_in_another_dialect_has_the_same_digest():
    one = tabular.read(b"a,b,c\n1,1.5,x\n2,2.5,y\n").table
    other = tabular.read(b'"a";"b";"c"\r\n1;1,50;"x"\r\n2;2,5;"y"\r\n').table
    changed = tabular.read(b"a,b,c\n1,1.5,x\n2,2.5,z\n").table

    assert samples.content_digest(one) == samples.content_digest(other)
    assert samples.content_digest(one) != samples.content_digest(changed)


def test_the_download_is_registered_when_its_rows_are_the_published_ones(datasets, monkeypatch):
    content = shared_data("bankmarketing_train.csv").read_bytes()
    monkeypatch.setattr("services.sources._download", lambda address: content)

    dataset = datasets.register_sample("bank-marketing")

    assert (dataset.name, dataset.row_count, dataset.synthetic) == ("Bank Marketing", 32_950, False)
    assert dataset.source == samples.ADDRESS


def test_a_download_with_other_rows_is_refused(datasets, monkeypatch):
    monkeypatch.setattr("services.sources._download", lambda address: TEXT)

    with pytest.raises(InvalidRequestError, match="does not hold the published"):
        datasets.register_sample("bank-marketing")


def test_without_a_network_the_synthetic_sample_is_offered(datasets, server, monkeypatch):
    monkeypatch.setattr(samples, "ADDRESS", "http://127.0.0.1:9/bank.csv")

    with pytest.raises(UnavailableError, match=r"take “Bank Marketing \(synthetic\)”"):
        datasets.register_sample("bank-marketing")


def test_synthetic_rows_are_the_same_every_time():
    one, other = synthetic_bank.frame(500), synthetic_bank.frame(500)

    pd.testing.assert_frame_equal(one, other)
    assert not one.equals(synthetic_bank.frame(500, seed=1))


def test_synthetic_rows_look_like_the_real_ones():
    real = pd.read_csv(shared_data("bankmarketing_train.csv"))
    made = synthetic_bank.frame()

    assert made.shape == real.shape
    assert list(made.columns) == list(real.columns)
    assert abs((made.y == "yes").mean() - (real.y == "yes").mean()) < 0.01
    for column in real.columns:
        if pd.api.types.is_numeric_dtype(real[column]):
            assert made[column].min() >= real[column].min()
            assert made[column].max() <= real[column].max()
            spread = real[column].std()
            assert abs(made[column].mean() - real[column].mean()) < 0.15 * spread
        else:
            assert set(made[column]) == set(real[column])
            shares = real[column].value_counts(normalize=True)
            found = made[column].value_counts(normalize=True)
            assert (found - shares).abs().max() < 0.05


def test_a_model_of_the_synthetic_rows_is_about_as_good_as_one_of_the_real_ones():
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    frame = synthetic_bank.frame(12_000)
    features = pd.get_dummies(frame.drop(columns="y"))
    label = frame.y == "yes"
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    model.fit(features[:9_000], label[:9_000])

    auc = roc_auc_score(label[9_000:], model.predict_proba(features[9_000:])[:, 1])

    assert 0.90 < auc < 0.96
