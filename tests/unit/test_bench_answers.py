"""What the answers of a load test said is counted while ab runs, without its secrets."""

from __future__ import annotations

import pytest

from services.bench_answers import AnswerReader
from tests.ab_reports import WITH_FAILURES
from tests.shared_data import shared_data

PREAMBLE = (
    "This is ApacheBench, Version 2.3 <$Revision$>\n\n"
    "Benchmarking 127.0.0.1 (be patient)...INFO: POST header == \n---\n"
    "POST /score HTTP/1.0\r\nContent-length: 19\r\nAuthorization: Bearer secret-once\r\n\r\n\n---\n"
)
GOOD = '"{\\"result\\": [\\"no\\"]}"'
BAD = '"{\\"error\\": \\"column age is missing\\"}"'


def answer(code=200, body=GOOD, *, shown=True, headers="") -> str:
    warning = "" if code == 200 else f"WARNING: Response code not 2xx ({code})\n"
    return (
        f"LOG: header received:\nHTTP/1.1 {code} Whatever\r\nserver: stub\r\n{headers}"
        f"content-length: {len(body)}\r\n\r\n{body if shown else ''}\n{warning}"
    )


def read(log: str, *, lengths=None, piece=1 << 16) -> AnswerReader:
    reader = AnswerReader(lengths)
    data = (PREAMBLE + log + "\n\n" + WITH_FAILURES).encode()
    for start in range(0, len(data), piece):
        reader.feed(data[start : start + piece])
    return reader


@pytest.mark.parametrize("piece", [1, 7, 100, 1 << 16])
def test_answers_are_counted_by_result_code_however_the_log_is_cut(piece):
    reader = read(answer() * 3 + answer(503, "busy") + answer(401, ""), piece=piece)

    assert reader.tally().result_codes == {"200": 3, "401": 1, "503": 1}
    assert reader.tally().semantic_failure_count == 0


def test_a_200_with_an_error_inside_is_a_semantic_failure():
    reader = read(answer() * 2 + answer(body=BAD) * 3)

    assert reader.tally().semantic_failure_count == 3


def test_a_200_whose_header_reports_a_failed_run_is_a_semantic_failure():
    reader = read(answer(headers="x-ms-run-function-failed: True\r\n"), lengths={len(GOOD): False})

    assert reader.tally().semantic_failure_count == 1


def test_a_body_ab_did_not_print_is_judged_by_the_checked_answer_of_its_length():
    log = answer(shown=False) * 4 + answer(body=BAD, shown=False)

    reader = read(log, lengths={len(GOOD): False, len(BAD): True})

    assert reader.tally().semantic_failure_count == 1
    assert reader.tally().unlike_count == 0


def test_a_body_of_another_length_is_unlike_the_checked_answer():
    reader = read(answer(shown=False) + answer(body=BAD, shown=False), lengths={len(GOOD): False})

    assert reader.tally().unlike_count == 1
    assert reader.tally().semantic_failure_count == 0


def test_without_a_checked_answer_nothing_is_claimed_about_hidden_bodies():
    reader = read(answer(shown=False))

    assert not reader.judged
    assert reader.tally().unlike_count == 0


def test_the_time_inside_run_is_kept_as_percentiles():
    log = "".join(answer(headers=f"x-ms-run-fn-exec-ms: {each}.5\r\n") for each in range(1, 101))

    assert read(log).tally().run_percentiles_ms == {50: 50.5, 95: 95.5, 99: 99.5, 100: 100.5}


def test_a_header_that_arrived_in_two_parts_counts_once():
    part = "LOG: header received:\nHTTP/1.1 200 OK\r\nserver: st\n"

    assert read(part + answer()).count == 1


def test_the_report_is_kept_without_the_request_and_its_credential():
    report = read(answer() * 5).report()

    assert "secret-once" not in report
    assert "LOG:" not in report
    assert "Complete requests:      200" in report


def test_a_run_that_ended_before_any_answer_keeps_no_credential_either():
    reader = AnswerReader()
    reader.feed(PREAMBLE.encode())

    assert "secret-once" not in reader.report()
    assert reader.count == 0


def test_the_last_answer_counts_when_ab_gave_up_without_a_report():
    reader = AnswerReader()
    reader.feed((PREAMBLE + answer() * 2 + "\nTotal of 2 requests completed\n").encode())

    reader.finish()

    assert reader.tally().result_codes == {"200": 2}
    assert reader.tally().semantic_failure_count == 0


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Api-Key", "Proxy-Authorization"])
def test_header_secrets_are_removed_wherever_they_stand(name):
    reader = AnswerReader()
    reader.feed(f"{name}: Basic dXNlcjpwYXNz\n\n\nServer Software:  x\n".encode())

    assert "dXNlcjpwYXNz" not in reader.report()


def test_the_shared_report_holds_ten_good_answers():
    reader = AnswerReader()
    reader.feed(shared_data("apache_benchmark_output.txt").read_bytes())

    assert reader.judged
    assert reader.tally().result_codes == {"200": 10}
    assert reader.tally().semantic_failure_count == 0
    assert "Authorization" not in reader.report()


def test_a_report_whose_line_ends_an_editor_doubled_is_read_the_same():
    text = shared_data("apache_benchmark_output.txt").read_text()  # its CR CR LF became two lines
    reader = AnswerReader()
    reader.feed(text.encode())

    assert reader.tally().result_codes == {"200": 10}
    assert reader.tally().semantic_failure_count == 0
