"""Server logs of several generations as entries."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.log_lines import Severity, entries, folded, matching

# Both lines of azure-docs#85624: what a script prints comes back once more as an echo.
ECHOED = "This is init\nno request id,This is init\n"
AZURE = """\
2026-11-22 08:00:00,120 I [71] azmlinfsrv - POST /score 200 22.710ms 24
2026-11-22 08:00:01,120 E [7] azmlinfsrv - Encountered Exception: Traceback (most recent call last):
  File "score.py", line 3, in run
ValueError: boom
2026-11-22 08:00:02,120 W [71] azmlinfsrv - x-ms-request-id header has been deprecated
"""
OLDER = "2021-12-17 20:50:01,126 | root | INFO | Starting up app insights client\n"


def test_a_line_of_the_present_server_is_read():
    first, second, third = entries(AZURE)

    assert first.text == "POST /score 200 22.710ms 24"
    assert first.at == datetime(2026, 11, 22, 8, 0, 0, 120_000, tzinfo=UTC)
    severities = [each.severity for each in (first, second, third)]
    assert severities == [Severity.INFO, Severity.ERROR, Severity.WARNING]


def test_a_traceback_is_part_of_its_error():
    second = entries(AZURE)[1]

    assert second.text.splitlines()[1:] == ['  File "score.py", line 3, in run', "ValueError: boom"]


def test_a_bare_traceback_is_an_error_of_its_own():
    (entry,) = entries('Traceback (most recent call last):\n  File "x"\nKeyError: 1\n')

    assert entry.severity is Severity.ERROR
    assert entry.text.endswith("KeyError: 1")


def test_an_exception_raised_while_handling_another_stays_with_it():
    log = (
        "2026-11-22 08:00:01,120 E [7] scoring - the model failed\n"
        "Traceback (most recent call last):\n  a\nKeyError: 1\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n  b\nValueError: 2\n"
    )

    (entry,) = entries(log)

    assert entry.text.endswith("ValueError: 2")


def test_a_line_of_the_older_server_is_read():
    (entry,) = entries(OLDER)

    assert (entry.text, entry.severity) == ("Starting up app insights client", Severity.INFO)


def test_an_echo_folds_into_what_it_repeats():
    (entry,) = folded(entries(ECHOED))

    assert (entry.text, entry.count) == ("This is init", 2)


def test_requests_that_differ_in_duration_only_fold_and_keep_the_latest_time():
    log = "".join(
        f"2026-11-22 08:00:0{second},000 I [71] scoring - POST /score 200 {second}.5ms 24\n"
        for second in range(5)
    )

    (entry,) = folded(entries(log))

    assert entry.count == 5
    assert entry.at == datetime(2026, 11, 22, 8, 0, 4, tzinfo=UTC)


def test_different_results_do_not_fold():
    log = "x - POST /score 200 1.0ms 24\nx - POST /score 400 1.0ms 24\n"

    assert len(folded(entries(log))) == 2


def test_a_search_finds_whatever_the_case_also_inside_tracebacks():
    assert len(matching(entries(AZURE), text="valueerror")) == 1
    assert len(matching(entries(AZURE), severities=[Severity.WARNING])) == 1
    assert len(matching(entries(AZURE), text="score", severities=[Severity.WARNING])) == 0


@given(st.text())
def test_no_text_breaks_it_and_no_line_is_lost(text):
    found = entries(text)

    assert sum(each.count for each in folded(found)) == len(found)
    written = {line.strip() for line in text.splitlines() if line.strip()}
    kept = {line.strip() for each in found for line in each.text.splitlines()}
    assert all(any(line in whole or whole in line for whole in kept) for line in written)
