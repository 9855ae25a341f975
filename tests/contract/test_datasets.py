"""What every adapter promises of registered datasets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from services.domain import Capability, DataSource, SourceKind
from services.errors import InvalidRequestError, NotFoundError, UnavailableError
from services.ports import Datasets, Workspace
from tests.shared_data import shared_data

TEXT = "age,job,y\n37,admin.,no\n41,retired,yes\n22,student,yes\n"


@pytest.fixture
def datasets(workspace: Workspace) -> Datasets:
    return workspace.datasets


@pytest.fixture
def register(datasets: Datasets, name: str) -> Callable:
    def register(text: str | bytes = TEXT, **options):
        content = text if isinstance(text, bytes) else text.encode()
        source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=content)
        return datasets.register(name, source, **options)

    return register


def test_an_unknown_name_is_not_found(datasets, name):
    for ask in (datasets.get, datasets.versions):
        with pytest.raises(NotFoundError, match=name):
            ask(name)
    for ask in (datasets.profile, datasets.contract):
        with pytest.raises(NotFoundError, match=name):
            ask(name, 1)
    with pytest.raises(NotFoundError, match=name):
        datasets.head(name, 1, 5)


def test_an_unknown_version_is_not_found(datasets, register, name):
    register()

    with pytest.raises(NotFoundError, match=f"{name}:7"):
        datasets.get(name, 7)
    with pytest.raises(NotFoundError, match=f"{name}:7"):
        datasets.head(name, 7, 5)


def test_a_registered_dataset_is_described(datasets, register, name):
    dataset = register(description="Three people", tags={"team": "risk"})

    assert (dataset.name, dataset.version, dataset.id) == (name, 1, f"{name}:1")
    assert (dataset.row_count, dataset.column_count) == (3, 3)
    assert dataset.description == "Three people"
    assert dataset.tags["team"] == "risk"
    assert "people.csv" in dataset.source
    assert not dataset.synthetic
    assert datasets.get(name) == datasets.get(name, 1) == dataset


def test_registering_the_same_file_again_gives_version_two(datasets, register, name):
    register()

    assert register().version == 2
    assert [each.version for each in datasets.versions(name)] == [2, 1]
    assert datasets.get(name).version == 2


def test_the_list_has_the_latest_version_of_each_newest_first(datasets, register, name):
    other = f"{name}-other"
    source = DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=TEXT.encode())
    datasets.register(other, source)
    register()
    register()

    ours = [each.id for each in datasets.list() if each.name in (name, other)]

    assert ours == [f"{name}:2", f"{other}:1"]


def test_the_head_is_the_files_first_rows(datasets, register, name):
    register()

    head = datasets.head(name, 1, 2)

    assert head.to_dict("list") == {
        "age": [37, 41],
        "job": ["admin.", "retired"],
        "y": ["no", "yes"],
    }
    assert len(datasets.head(name, 1, 50)) == 3
    assert list(datasets.head(name, 1, 0).columns) == ["age", "job", "y"]


def test_versions_keep_their_own_rows(datasets, register, name):
    register()
    register("age,job,y\n99,retired,no\n")

    assert datasets.head(name, 1, 1)["age"].tolist() == [37]
    assert datasets.head(name, 2, 1)["age"].tolist() == [99]


def test_the_profile_counts_what_is_there(datasets, register, name):
    register("age,job\n37,admin.\n,admin.\n22,\n")

    profile = datasets.profile(name, 1)

    assert profile.row_count == 3
    assert (profile.column("age").minimum, profile.column("age").maximum) == (22, 37)
    assert profile.column("age").missing_count == 1
    assert profile.column("job").top_values == (("admin.", 2),)


def test_the_contract_names_its_dataset_and_leaves_the_label_out(datasets, register, name):
    register()

    contract = datasets.contract(name, 1, label="y")

    assert [column.name for column in contract.columns] == ["age", "job"]
    assert (contract.label, contract.classes) == ("y", ("no", "yes"))
    assert contract.dataset_id == f"{name}:1"
    assert contract.columns[1].categories == ("admin.", "retired", "student")


def test_a_label_that_is_no_column_is_refused(datasets, register, name):
    register()

    with pytest.raises(InvalidRequestError, match="no column “z”"):
        datasets.contract(name, 1, label="z")


@pytest.mark.parametrize("wrong", ["", "../escape", "a/b", "<b>x</b>", "-x", "x" * 300, "x\n"])
def test_a_name_that_could_not_be_part_of_a_path_is_refused(datasets, wrong):
    source = DataSource(kind=SourceKind.UPLOAD, location="a.csv", content=TEXT.encode())

    with pytest.raises(InvalidRequestError, match="dataset name"):
        datasets.register(wrong, source)


def test_a_bad_file_is_refused_with_its_line_and_nothing_is_registered(datasets, register, name):
    with pytest.raises(InvalidRequestError, match="Line 3 has 1 value"):
        register("a,b\n1,2\n3\n")

    with pytest.raises(NotFoundError):
        datasets.get(name)


def test_a_file_on_this_machine_is_registered(datasets, name, tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text(TEXT)

    dataset = datasets.register(name, DataSource(kind=SourceKind.PATH, location=str(path)))

    assert dataset.row_count == 3
    assert dataset.source == str(path)


def test_a_path_without_a_file_is_refused(datasets, name, tmp_path):
    for location in (tmp_path / "absent.csv", tmp_path, "/dev/zero", "a\0b"):
        with pytest.raises(InvalidRequestError):
            datasets.register(name, DataSource(kind=SourceKind.PATH, location=str(location)))


def test_markup_in_names_and_values_is_kept_as_text(datasets, register, name):
    register("<script>alert(1)</script>,=1+1\n<b>x</b>,=HYPERLINK(0)\n")

    assert datasets.head(name, 1, 1).to_dict("list") == {
        "<script>alert(1)</script>": ["<b>x</b>"],
        "=1+1": ["=HYPERLINK(0)"],
    }


def test_parquet_is_registered_with_its_types(datasets, name, tmp_path):
    path = tmp_path / "people.parquet"
    frame = pd.DataFrame(
        {"n": [1, 2], "x": [0.5, None], "s": ["a", None], "t": pd.to_datetime(["2024-01-01"] * 2)}
    )
    frame.to_parquet(path)

    datasets.register(name, DataSource(kind=SourceKind.PATH, location=str(path)))

    pd.testing.assert_frame_equal(datasets.head(name, 1, 9), frame, check_dtype=False)


def test_an_inspection_says_what_would_be_stored_and_stores_nothing(workspace, datasets, name):
    if not workspace.can(Capability.INSPECT_SOURCE):
        pytest.skip("this back end registers without looking")
    before = datasets.list()
    content = "idade;taxa\n37;1,5\n41;2,5\n".encode("latin-1")

    seen = datasets.inspect(
        DataSource(kind=SourceKind.UPLOAD, location="pessoas.csv", content=content)
    )

    assert (seen.row_count, dict(seen.columns)) == (2, {"idade": "integer", "taxa": "number"})
    assert (seen.format, seen.delimiter, seen.decimal) == ("CSV", ";", ",")
    assert [dict(row) for row in seen.head] == [
        {"idade": 37, "taxa": 1.5},
        {"idade": 41, "taxa": 2.5},
    ]
    assert datasets.list() == before


def test_other_contents_than_stated_are_refused(datasets, name):
    source = DataSource(
        kind=SourceKind.UPLOAD, location="a.csv", content=TEXT.encode(), sha256="0" * 64
    )

    with pytest.raises(InvalidRequestError, match="SHA-256"):
        datasets.register(name, source)


def test_an_address_that_is_no_url_is_refused(datasets, name):
    for location in ("file:///etc/passwd", "ftp://host/a.csv", "just words", "https://"):
        with pytest.raises(InvalidRequestError):
            datasets.register(name, DataSource(kind=SourceKind.URL, location=location))


def test_an_address_nobody_answers_is_unavailable(datasets, name):
    source = DataSource(kind=SourceKind.URL, location="http://127.0.0.1:9/a.csv")

    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 could not be reached"):
        datasets.register(name, source)


def test_every_sample_says_what_it_is(workspace, datasets):
    if not workspace.can(Capability.SAMPLE_DATASETS):
        assert datasets.samples() == ()
        return

    samples = datasets.samples()

    assert any(not sample.needs_network for sample in samples)
    for sample in samples:
        assert sample.synthetic == ("synthetic" in sample.title)
    with pytest.raises(NotFoundError, match="nonesuch"):
        datasets.register_sample("nonesuch")


def test_the_synthetic_sample_is_labelled_as_such(workspace, datasets):
    if not workspace.can(Capability.SAMPLE_DATASETS):
        pytest.skip("this back end offers no samples")
    sample = next(sample for sample in datasets.samples() if sample.synthetic)

    dataset = datasets.register_sample(sample.id)

    assert dataset.synthetic
    assert "synthetic" in dataset.name
    assert "made-up" in dataset.description
    assert (dataset.row_count, dataset.column_count) == (32_950, 21)


def test_the_bank_marketing_file_is_listed_with_its_size(datasets, name):
    path = shared_data("bankmarketing_train.csv")

    dataset = datasets.register(name, DataSource(kind=SourceKind.PATH, location=str(path)))

    assert (dataset.row_count, dataset.column_count) == (32_950, 21)
    reference = pd.read_csv(path)
    for count in (5, 50):
        head = datasets.head(name, 1, count)
        pd.testing.assert_frame_equal(head, reference.head(count), check_dtype=False)
