"""Apache Benchmark's report is read as it stands, its traps stepped around."""

from __future__ import annotations

from pathlib import Path

import pytest

from services import apache_bench
from services.domain import LoadTestPlan
from services.errors import InvalidRequestError, OperationFailedError
from tests.ab_reports import WITH_FAILURES
from tests.shared_data import shared_data


def plan(**changes) -> LoadTestPlan:
    return LoadTestPlan(**{"deployment": "bank", "payload": "{}", "requests": 50} | changes)


def arguments(of: LoadTestPlan, *, credential: str | None = "once", uri="http://host:1/score"):
    return apache_bench.command(
        of,
        uri,
        program="/usr/bin/ab",
        payload=Path("payload.json"),
        percentiles_file=Path("p.csv"),
        times_file=Path("t.tsv"),
        credential=credential,
        tag="loadtest-7",
    )


def test_the_shared_report_keeps_its_figures():
    report = apache_bench.read_report(shared_data("apache_benchmark_output.txt").read_text())

    assert (report.complete_count, report.failed_count) == (10, 0)
    assert report.mean_ms == 2919.946
    assert report.requests_per_s == 0.34
    assert report.percentiles_ms[50] == 2996
    assert (report.min_ms, report.max_ms, report.percentiles_ms[100]) == (2402, 3303, 3303)
    assert report.host == "example.southcentralus.azurecontainer.io"
    assert report.server_software == "nginx/1.10.3"
    assert (report.document_length_bytes, report.sent_bytes) == (33, 10640)
    assert [each.name for each in report.phases] == ["Connect", "Processing", "Waiting", "Total"]
    assert report.phases[1].deviation_ms == 331.7


def test_failures_are_read_by_cause():
    report = apache_bench.read_report(WITH_FAILURES)

    assert report.failed_count == 17
    assert report.failures == {"Connect": 1, "Receive": 9, "Length": 0, "Exceptions": 7}
    assert (report.non_2xx_count, report.write_error_count) == (30, 2)
    assert report.keep_alive_count == 150
    assert report.document_length_bytes is None
    assert (report.mean_ms, report.mean_across_ms) == (31.25, 6.25)


def test_what_ab_says_against_its_own_figures_is_kept():
    (warning,) = apache_bench.warnings(WITH_FAILURES)

    assert warning == (
        "The median and mean for the total time are not within a normal deviation "
        "These results are probably not that reliable."
    )


def test_answers_printed_before_the_report_are_not_taken_for_it():
    forged = "LOG: header received:\nHTTP/1.0 200 OK\n\nComplete requests:      99999\n\n"

    assert apache_bench.read_report(forged + "\n" + WITH_FAILURES).complete_count == 200


@pytest.mark.parametrize("text", ["", "hello", "<table><tr>Server Software:</tr></table>"])
def test_a_text_without_a_report_is_refused_with_what_to_paste(text):
    with pytest.raises(InvalidRequestError, match="paste all that ab printed"):
        apache_bench.read_report(text)


def test_a_run_without_a_completed_request_is_refused():
    empty = WITH_FAILURES.replace("requests:      200", "requests:      0")

    with pytest.raises(InvalidRequestError, match="completed no request"):
        apache_bench.read_report(empty)


def test_a_report_cut_off_is_refused_naming_the_missing_line():
    cut = WITH_FAILURES.replace("Requests per second:", "Requests per")

    with pytest.raises(InvalidRequestError, match="Requests per second"):
        apache_bench.read_report(cut)


def test_percentiles_come_from_the_csv_file():
    rows = "".join(f"{rank},{100 + rank}.250\n" for rank in range(101))

    read = apache_bench.read_percentiles("Percentage served,Time in ms\n" + rows, 1000)

    assert len(read) == 101
    assert (read[0], read[50], read[100]) == (100.25, 150.25, 200.25)


def test_ranks_that_ab_reads_past_the_end_of_its_list_are_the_slowest_request():
    # Measured with -n 10: ranks 95 to 99 held what lay behind the list in memory.
    rows = [f"{rank},{4.796 if rank < 95 else 5788344089835828.0}" for rank in range(100)]
    text = "\n".join(["Percentage served,Time in ms", *rows, "100,5.100"])

    read = apache_bench.read_percentiles(text, 10)

    assert read[94] == 4.796
    assert {read[rank] for rank in range(95, 101)} == {5.1}


def test_an_empty_csv_file_means_nothing_was_measured():
    with pytest.raises(OperationFailedError, match="before any request completed"):
        apache_bench.read_percentiles("", 0)


def test_single_times_come_from_the_gnuplot_file():
    text = (
        "starttime\tseconds\tctime\tdtime\tttime\twait\n"
        "Sun Nov 22 08:12:24 2026\t1795335144\t1\t2\t3\t2\n"
        "Sun Nov 22 08:12:24 2026\t1795335144\t0\t1\t1\t1\n"
    )

    assert apache_bench.read_times(text) == [1, 3]


def test_a_fast_deployment_has_a_histogram_finer_than_a_millisecond():
    curve = {rank: 1 + rank / 100 for rank in range(101)}

    bins = apache_bench.histogram(curve, [1.0] * 100 + [2.0] * 100)

    assert len(bins) > 20
    assert sum(count for _, _, count in bins) == 200


def test_a_slow_deployment_has_a_histogram_of_single_requests():
    curve = {rank: 100.0 + rank for rank in range(101)}

    bins = apache_bench.histogram(curve, [100.0, 150.0, 200.0])

    assert sum(count for _, _, count in bins) == 3


def test_the_command_never_carries_more_than_the_credential_it_was_given():
    made = arguments(plan(concurrency=5, timeout_s=40))

    assert made[:1] == ["/usr/bin/ab"]
    assert made[made.index("-n") + 1] == "50"
    assert made[made.index("-c") + 1] == "5"
    assert made[made.index("-s") + 1] == "40"
    assert "Authorization: Bearer once" in made
    assert "x-ms-client-request-id: loadtest-7" in made
    assert "-k" not in made
    assert made[-1] == "http://host:1/score"


def test_a_limit_in_seconds_overrides_the_number_of_requests_that_t_implies():
    made = arguments(plan(requests=None, seconds=5, keep_alive=True))

    assert made.index("-n") > made.index("-t")
    assert int(made[made.index("-n") + 1]) > 50_000
    assert "-k" in made


def test_a_deployment_without_keys_gets_no_authorization():
    assert not [each for each in arguments(plan(), credential=None) if "Authorization" in each]


def test_an_address_without_a_path_gets_one():
    assert arguments(plan(), uri="http://host:1")[-1] == "http://host:1/"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"requests": None}, "either a number of requests or of seconds"),
        ({"seconds": 5}, "either a number of requests or of seconds"),
        ({"requests": 0}, "requests is 1 to"),
        ({"requests": 3, "concurrency": 4}, "4 requests at a time need at least as many"),
        ({"concurrency": 0}, "at a time is 1 to"),
        ({"timeout_s": 0}, "to wait for an answer is 1 to"),
        ({"requests": None, "seconds": 10_000}, "seconds is 1 to"),
    ],
)
def test_an_impossible_plan_is_refused_with_the_rule(changes, said):
    with pytest.raises(InvalidRequestError, match=said):
        apache_bench.check_plan(plan(**changes))


def test_a_possible_plan_is_accepted():
    apache_bench.check_plan(plan(concurrency=50))
    apache_bench.check_plan(plan(requests=None, seconds=30, concurrency=8))


def test_a_missing_ab_is_a_sentence_that_names_the_package(monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(InvalidRequestError, match="apache2-utils"):
        apache_bench.executable()


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ("apr_pollset_poll: The timeout specified has expired (70007)\n", "time limit"),
        ("apr_socket_connect(): Connection refused (111)\n", "refused the connection"),
        ("ab: apr_sockaddr_info_get() for nowhere.invalid: Name or service not known", "host name"),
        ("\nTest aborted after 10 failures\n\n", "More than ten connections"),
        ("Completed 100 requests\nsomething else\n", "something else"),
        ("Completed 100 requests\n", "without a report"),
    ],
)
def test_an_ab_that_gave_up_is_explained(errors, said):
    assert said in apache_bench.explain(errors)
