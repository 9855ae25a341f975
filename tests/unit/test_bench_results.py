"""What was measured and what the README says of it are the same."""

from __future__ import annotations

import pytest

from tests.bench import results
from tests.bench.measures import Measure, read


def test_the_readme_shows_what_was_measured():
    text = results.README.read_text("utf-8")
    machine, shown = results.load(results.SHOWN)

    assert shown
    assert results.with_table(text, machine, shown) == text


def test_nothing_is_told_of_whose_machine_it_was():
    machine, _ = results.load(results.SHOWN)

    assert set(machine) == {"cpu", "cores", "memory_gb", "os", "kernel", "python", "packages"}


@pytest.mark.parametrize(
    "measure, cells",
    [
        (
            Measure("Percentiles", 26.0, 20.0, "ms CPU", "≤ 1.3×", True, against="DuckDB"),
            ("Percentiles", "DuckDB", "26 ms CPU", "20 ms CPU", "1.3×", "≤ 1.3×", "yes"),
        ),
        (
            Measure("Scoring", 0.4, 30.4, "ms CPU", "≤ 1/30", True, against="Azure"),
            ("Scoring", "Azure", "0.4 ms CPU", "30.4 ms CPU", "1/76", "≤ 1/30", "yes"),
        ),
        (
            Measure("Taken in", 19_500.0, None, "items", "≥ 20,000", False, note="all stored"),
            ("Taken in", "", "19,500 items", "all stored", "", "≥ 20,000", "no"),
        ),
        (
            Measure("Search", 0.94747, 0.94026, "AUC_weighted", against="FLAML", note="30 s"),
            ("Search", "FLAML; 30 s", "0.9475", "0.9403", "1.008×", "", ""),
        ),
        (
            Measure("Search", None, 30.0, "s", "not above", False),
            ("Search", "", "–", "30 s", "", "not above", "no"),
        ),
    ],
)
def test_a_measure_is_a_row(measure, cells):
    assert measure.cells() == cells
    assert read(measure.record()) == measure


def test_only_the_newest_of_each_comparison_on_this_machine_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    monkeypatch.setattr(results, "SHOWN", tmp_path / "shown" / "shown.json")
    monkeypatch.setattr(results, "README", tmp_path / "README.md")
    (tmp_path / "shown").mkdir()
    results.README.write_text(f"before\n{results.BEGIN}\n{results.END}\nafter\n")
    here = {"cpu": "c", "cores": 2, "memory_gb": 8, "os": "o", "python": "3"}

    def kept(name, machine, *measured):
        told = [
            results.Result(each, "2026-11-22T10:00:00+00:00", 5, (0.1, 0.2), [found])
            for each, found in measured
        ]
        results._write(tmp_path / name, machine, told)

    kept("1.json", {**here, "cores": 64}, ("pages", Measure("elsewhere", 1.0, 1.0, "ms")))
    kept("2.json", here, ("pages", Measure("old", 1.0, 1.0, "ms")))
    kept("3.json", here, ("pages", Measure("new", 1.0, 1.0, "ms")))
    kept("4.json", here, ("telemetry", Measure("hidden", 1.0, 1.0, "ms", detail=True)))
    (tmp_path / "5.json").write_text("[]")

    assert results.show(["telemetry", "pages", "automl"]) == 2
    text = results.README.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "| new |" in text
    assert not any(f"| {each} |" in text for each in ("old", "elsewhere", "hidden"))
