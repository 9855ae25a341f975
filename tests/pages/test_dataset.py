"""The Dataset page: what is registered, what is in it, and registering more."""

from __future__ import annotations

import json

import pytest

from services import data_contract
from services.errors import UnavailableError
from tests.recorded import datasets, runs


def tables(page):
    return [each.value for each in page.dataframe]


def texts(page):
    return " ".join(each.value for each in (*page.markdown, *page.caption))


def charts(page):
    return [json.loads(each.proto.spec) for each in page.get("plotly_chart")]


# --- the list ---------------------------------------------------------------------


def test_an_empty_workspace_offers_a_file_of_ones_own_and_the_samples(open_page):
    page = open_page("dataset")

    assert not page.exception
    assert "Everything starts with a dataset" in texts(page)
    assert [button.label for button in page.main.button] == [
        "Register a file",
        "Download and register",
        "Register synthetic rows",
    ]


def test_the_list_shows_the_latest_version_with_its_size(open_page, local_workspace):
    datasets.people(local_workspace, row_count=7)
    datasets.people(local_workspace, row_count=9)

    listed = tables(open_page("dataset"))[0].iloc[0]

    assert (listed["Dataset"], listed["Version"]) == ("bank", 2)
    assert (listed["Rows"], listed["Columns"]) == (9, 4)


def test_the_list_counts_the_runs_and_models_made_from_a_dataset(open_page, local_workspace):
    dataset = datasets.people(local_workspace)
    other = datasets.people(local_workspace, "other")
    runs.automl(local_workspace.home, local_workspace.store, dataset_id=dataset.id, label="y")

    listed = tables(open_page("dataset", dataset="bank"))[0].set_index("Dataset")

    assert listed.loc["bank", "Runs"] == 1
    assert listed.loc[other.name, "Runs"] == 0


def test_an_outage_of_the_runs_leaves_the_datasets_on_the_page(
    open_page, local_workspace, monkeypatch
):
    datasets.people(local_workspace)

    def outage(*args, **kwargs):
        raise UnavailableError("The runs did not answer.")

    monkeypatch.setattr(local_workspace.runs, "list", outage)

    page = open_page("dataset")

    assert not page.exception
    assert tables(page)[0]["Runs"].isna().all()
    assert "What uses it is not known: The runs did not answer." in texts(page)


def test_an_outage_is_a_sentence_not_a_traceback(open_page, local_workspace, monkeypatch):
    def outage():
        raise UnavailableError("The store did not answer.")

    monkeypatch.setattr(local_workspace.datasets, "list", outage)

    page = open_page("dataset")

    assert not page.exception
    assert "did not answer" in page.warning[-1].value


# --- one version ------------------------------------------------------------------


def test_a_link_reopens_the_version_it_was_copied_from(open_page, local_workspace):
    for row_count in (5, 6):
        datasets.people(local_workspace, "first", row_count=row_count)
        datasets.people(local_workspace, "second", row_count=row_count + 10)

    page = open_page("dataset", dataset="first", version="1", **{"dataset-view": "Preview"})

    assert page.selectbox(key="dataset").value == "first"
    assert page.selectbox(key="version").value == 1
    assert "5 rows · 4 columns" in texts(page)


def test_choosing_another_dataset_shows_its_latest_version(open_page, local_workspace):
    for row_count in (5, 6):
        datasets.people(local_workspace, "first", row_count=row_count)
        datasets.people(local_workspace, "second", row_count=row_count + 10)
    page = open_page("dataset", dataset="first", version="1")

    page.selectbox(key="dataset").select("second").run()

    assert page.selectbox(key="version").value == 2
    assert "16 rows" in texts(page)


def test_the_synthetic_dataset_is_labelled(open_page, local_workspace):
    datasets.synthetic(local_workspace)

    page = open_page("dataset")

    assert "Synthetic" in str([each.value for each in page.markdown])
    assert tables(page)[0]["Rows are"].iloc[0] == ["Synthetic"]


@pytest.mark.parametrize("count", [5, 30])
def test_the_preview_has_as_many_rows_as_asked_for(open_page, local_workspace, count):
    datasets.people(local_workspace, row_count=40)
    page = open_page("dataset", **{"dataset-view": "Preview"})

    page.number_input(key="rows").set_value(count).run()

    head = tables(page)[1]
    assert len(head) == count
    assert head["age"].tolist() == list(range(20, 20 + count))


def test_the_profile_shows_the_balance_of_the_target(open_page, local_workspace):
    datasets.people(local_workspace, row_count=40)

    page = open_page("dataset")

    assert "12.5 % of the rows are yes" in texts(page)
    assert charts(page)[0]["data"][0]["y"] == ["no", "yes"]
    figures = tables(page)[1].set_index("Column")
    assert figures.loc["age", ["Smallest", "Largest"]].tolist() == ["20", "59"]
    assert figures.loc["job", "Distinct"] == 4


def test_another_target_and_another_column_are_drawn(open_page, local_workspace):
    datasets.people(local_workspace)

    page = open_page("dataset", target="job", column="pdays")

    assert charts(page)[0]["data"][0]["y"] == ["admin.", "services", "retired", "student"]
    assert "999 stands for “none” in 32 rows" in texts(page)


def test_every_chart_and_table_says_what_it_shows(open_page, local_workspace):
    datasets.people(local_workspace)

    page = open_page("dataset")

    assert all(each.proto.alt for each in page.get("plotly_chart"))
    assert all(each.proto.alt for each in page.dataframe)


def test_a_column_without_values_is_said_to_be_empty(open_page, local_workspace):
    datasets.register(local_workspace, "gaps", "a,b\n1,\n2,\n")

    page = open_page("dataset", target="b")

    assert not page.exception
    assert "Every value is missing" in texts(page)


def test_the_contract_is_shown_and_downloaded(open_page, local_workspace):
    datasets.people(local_workspace)

    page = open_page("dataset", **{"dataset-view": "Contract"})

    contract = tables(page)[1].set_index("Column")
    assert "y" not in contract.index
    assert contract.loc["age", "Range"] == "20 to 59"
    assert contract.loc["pdays", "Stands for none"] == "999"
    assert list(contract.loc["job", "Values"]) == ["admin.", "services", "retired", "student"]
    assert "3 features predict **y**: no, yes" in texts(page)
    assert page.get("download_button")


def test_markup_in_names_and_values_stays_text(open_page, local_workspace):
    markup = "<b>x</b>![i](http://127.0.0.1:9/i.png)"
    datasets.register(
        local_workspace, "odd", f"{markup},y\n{markup},=1+1\n*b*,no\n", description=markup
    )

    for view in ("Profile", "Preview", "Contract"):
        page = open_page("dataset", **{"dataset-view": view})

        assert not page.exception
        assert "![i](" not in texts(page)
        assert "<b>" not in texts(page)
        assert "<b>" not in json.dumps(charts(page))


# --- registering ------------------------------------------------------------------


def opened(page):
    page.button(key="dataset.register").click().run()
    return page


def test_a_file_is_inspected_before_it_is_registered(open_page, local_workspace):
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))

    page.file_uploader[0].upload("novos clientes.csv", b"a;b\n1,5;x\n2;y\n").run()

    assert "2 rows, 2 columns" in texts(page)
    assert "separated by semicolon, decimal comma" in texts(page)
    assert len(local_workspace.datasets.list()) == 1

    page.button(key="dataset.register.go").click().run()

    assert not page.exception
    assert local_workspace.datasets.get("novos-clientes").row_count == 2
    assert page.selectbox(key="dataset").value == "novos-clientes"


def test_a_bad_file_is_refused_with_its_line_and_cannot_be_registered(open_page, local_workspace):
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))

    page.file_uploader[0].upload("bad.csv", b"a,b\n1,2\n3\n").run()

    assert "Line 3 has 1 value" in page.error[0].value
    assert page.button(key="dataset.register.go").disabled


def test_what_a_bad_file_holds_is_quoted_and_not_interpreted(open_page, local_workspace):
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))

    page.file_uploader[0].upload("bad.csv", b"a,b\n![i](http://127.0.0.1:9/i.png)\n").run()

    assert "![i]" not in page.error[0].value


def test_a_taken_name_becomes_the_next_version(open_page, local_workspace):
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))

    page.file_uploader[0].upload("bank.csv", b"a,b\n1,2\n").run()

    assert "Becomes version 2 of bank" in texts(page)


def test_a_name_that_cannot_be_used_is_refused_before_registering(open_page, local_workspace):
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))
    page.file_uploader[0].upload("x.csv", b"a,b\n1,2\n").run()

    page.text_input(key="dataset.register.name-x").set_value("../x").run()

    assert "A dataset name starts with" in texts(page)
    assert page.button(key="dataset.register.go").disabled


def test_a_stated_delimiter_that_separates_nothing_is_refused(open_page, local_workspace):
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))
    page.file_uploader[0].upload("x.csv", b"a,b\n1,2\n").run()

    page.selectbox(key="dataset.register.delimiter").select("Semicolon ;").run()

    assert "Line 1 has no semicolon" in page.error[0].value


def test_a_path_is_registered(open_page, local_workspace, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(datasets.text(6))
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))

    page.segmented_control(key="dataset.register.kind").set_value("Local path").run()
    page.text_input(key="dataset.register.path").set_value(str(path)).run()
    page.button(key="dataset.register.go").click().run()

    assert local_workspace.datasets.get("people").source == str(path)


def test_a_url_nobody_answers_is_said_in_one_sentence(open_page, local_workspace):
    datasets.people(local_workspace)
    page = opened(open_page("dataset"))

    page.segmented_control(key="dataset.register.kind").set_value("URL").run()
    page.text_input(key="dataset.register.url").set_value("http://127.0.0.1:9/a.csv").run()

    assert not page.exception
    assert "127.0.0.1 could not be reached" in page.warning[-1].value
    assert page.button(key="dataset.register.go").disabled


def test_one_click_registers_the_synthetic_sample(open_page, local_workspace):
    page = open_page("dataset")

    page.button(key="dataset.sample.bank-marketing-synthetic").click().run()

    assert not page.exception
    dataset = local_workspace.datasets.get("Bank Marketing (synthetic)")
    assert dataset.synthetic
    assert "32,950 rows · 21 columns" in texts(page)


def test_without_a_network_one_sentence_names_the_synthetic_sample(
    open_page, local_workspace, monkeypatch
):
    monkeypatch.setattr("services.local.samples.ADDRESS", "http://127.0.0.1:9/bank.csv")
    page = open_page("dataset")

    page.button(key="dataset.sample.bank-marketing").click().run()

    assert "take “Bank Marketing (synthetic)”" in page.warning[-1].value
    assert local_workspace.datasets.list() == ()


def test_the_downloaded_contract_is_the_ports(open_page, local_workspace):
    dataset = datasets.people(local_workspace)

    text = data_contract.to_json(local_workspace.datasets.contract("bank", 1, label="y"))

    assert data_contract.from_json(text).dataset_id == dataset.id
