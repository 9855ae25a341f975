"""The ``ab`` command and its report.

``ab`` takes headers only as arguments, and ``ps`` shows arguments to everybody on the
machine while it runs. It is therefore never given a deployment's key: the caller passes
a credential that lives for that one run. This is the only place where a secret travels
in an argument.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from services import percentiles
from services.domain import BenchReport, LoadTestPlan, PhaseTimes
from services.errors import InvalidRequestError, OperationFailedError

PACKAGE = "apache2-utils"  # of Debian and Ubuntu
REQUEST_LIMIT = 1_000_000
SECONDS_LIMIT = 3_600
CONCURRENCY_LIMIT = 200
TIMEOUT_LIMIT_S = 300
UNBOUNDED = 2_000_000  # requests of a run that is limited by time; `ab` keeps 40 bytes for each
TAG_HEADER = "x-ms-client-request-id"
TAG_PREFIX = "loadtest-"
FAILURE_CAUSES = ("Connect", "Receive", "Length", "Exceptions")
FINE_BINS_BELOW_MS = 30.0  # whole milliseconds are too coarse a histogram for less


def check_plan(plan: LoadTestPlan) -> None:
    """Refuse a plan that ``ab`` would refuse, or that makes no sense.

    Raises:
        InvalidRequestError: what to change.
    """
    if (plan.requests is None) == (plan.seconds is None):
        raise InvalidRequestError("A load test has either a number of requests or of seconds.")
    _within("requests", plan.requests, REQUEST_LIMIT)
    _within("seconds", plan.seconds, SECONDS_LIMIT)
    _within("requests at a time", plan.concurrency, CONCURRENCY_LIMIT)
    _within("seconds to wait for an answer", plan.timeout_s, TIMEOUT_LIMIT_S)
    if plan.requests is not None and plan.concurrency > plan.requests:
        raise InvalidRequestError(
            f"{plan.concurrency} requests at a time need at least as many requests in all; "
            f"{plan.requests} were asked for."
        )


def _within(what: str, value: int | None, limit: int) -> None:
    if value is not None and not 1 <= value <= limit:
        raise InvalidRequestError(f"The number of {what} is 1 to {limit:,}; {value:,} was given.")


def executable() -> str:
    """Where ``ab`` is.

    Raises:
        InvalidRequestError: it is not installed; the package that has it.
    """
    found = shutil.which("ab")
    if found is None:
        raise InvalidRequestError(
            f"Apache Benchmark is not installed here; install the package {PACKAGE}, "
            "which contains the program ab."
        )
    return found


def command(
    plan: LoadTestPlan,
    uri: str,
    *,
    program: str,
    payload: Path,
    percentiles_file: Path,
    times_file: Path,
    credential: str | None,
    tag: str,
) -> list[str]:
    """The arguments that carry out a plan.

    ``-v 2`` prints the header of every answer, from which `bench_answers` counts what
    went wrong; it costs nothing that can be measured. ``-r`` goes on after a broken
    connection, ``-l`` accepts answers of different lengths.

    Args:
        payload: the file with the request body.
        credential: sent as bearer token; one that is revoked after the run.
        tag: `TAG_PREFIX` and the load test's id, by which telemetry tells test traffic.
    """
    limits = ["-n", str(plan.requests)]
    if plan.seconds is not None:
        # -t implies -n 50000 unless a number of requests comes after it.
        limits = ["-t", str(plan.seconds), "-n", str(plan.request_budget or UNBOUNDED)]
    headers = [f"{TAG_HEADER}: {tag}"]
    if credential is not None:
        headers.append(f"Authorization: Bearer {credential}")
    return [
        program,
        *limits,
        *("-c", str(plan.concurrency)),
        *(["-k"] if plan.keep_alive else []),
        *("-l", "-r", "-v", "2"),
        *("-s", str(plan.timeout_s)),
        *("-T", "application/json", "-p", str(payload)),
        *("-e", str(percentiles_file), "-g", str(times_file)),
        *(each for header in headers for each in ("-H", header)),
        uri if urlsplit(uri).path else f"{uri}/",
    ]


# --- the report -------------------------------------------------------------------


def read_report(text: str) -> BenchReport:
    """Every figure of the report ``ab`` prints, as it prints it.

    Args:
        text: what ``ab`` wrote, from any verbosity; the last report in it counts.

    Raises:
        InvalidRequestError: there is no report of a finished run in the text.

    Source: httpd ``support/ab.c``, ``output_results``.
    """
    report = _last_report(text)
    complete_count = _whole(report, "Complete requests")
    if not complete_count:
        raise InvalidRequestError(
            "This run of ab completed no request, so there is nothing to keep."
        )
    return BenchReport(
        complete_count=complete_count,
        failed_count=_whole(report, "Failed requests") or 0,
        failures=_failures(report),
        requests_per_s=_needed(report, "Requests per second"),
        mean_ms=_needed(report, "Time per request"),
        mean_across_ms=_figure(report, r"Time per request:\s+([\d.]+) \[ms\] \(mean, across"),
        total_s=_needed(report, "Time taken for tests"),
        percentiles_ms=_percentile_table(report),
        min_ms=_phase_value(report, "min_ms"),
        max_ms=_phase_value(report, "max_ms"),
        concurrency=_whole(report, "Concurrency Level"),
        non_2xx_count=_whole(report, "Non-2xx responses") or 0,
        write_error_count=_whole(report, "Write errors") or 0,
        keep_alive_count=_whole(report, "Keep-Alive requests"),
        transferred_bytes=_whole(report, "Total transferred"),
        sent_bytes=_whole(report, "Total body sent"),
        body_bytes=_whole(report, "HTML transferred"),
        server_software=_words(report, "Server Software"),
        host=_words(report, "Server Hostname"),
        port=_whole(report, "Server Port"),
        path=_words(report, "Document Path"),
        document_length_bytes=_whole(report, "Document Length"),
        transfer_kb_per_s=_figure(report, r"Transfer rate:\s+([\d.]+)"),
        phases=_phases(report),
    )


def warnings(text: str) -> tuple[str, ...]:
    """What ``ab`` says against its own figures: medians and means too far apart."""
    found = re.findall(r"^(?:WARNING|ERROR): (The median .*(?:\n {7,}\S.*)?)", text, re.MULTILINE)
    return tuple(" ".join(each.split()) for each in found)


def _last_report(text: str) -> str:
    lines = re.sub(r"\r+", "", text)
    start = lines.rfind("\nServer Software:")
    if start < 0 and not lines.startswith("Server Software:"):
        raise InvalidRequestError(
            "This text has no report of Apache Benchmark; paste all that ab printed, "
            "down to the table of percentages."
        )
    return lines[max(start, 0) :]


def _words(report: str, label: str) -> str:
    found = re.search(rf"^{re.escape(label)}:[ \t]*(.*)$", report, re.MULTILINE)
    return found[1].strip() if found else ""


def _figure(report: str, pattern: str) -> float | None:
    found = re.search(rf"^{pattern}", report, re.MULTILINE)
    return float(found[1]) if found else None


def _whole(report: str, label: str) -> int | None:
    value = _figure(report, rf"{re.escape(label)}:\s+(\d+)")
    return None if value is None else int(value)


def _needed(report: str, label: str) -> float:
    value = _figure(report, rf"{re.escape(label)}:\s+([\d.]+)")
    if value is None:
        raise InvalidRequestError(f"This report of Apache Benchmark has no line “{label}”.")
    return value


def _failures(report: str) -> dict[str, int]:
    """Failed requests by cause; empty when there were none and the line is left out."""
    line = re.search(r"^\s+\((Connect: .*)\)$", report, re.MULTILINE)
    found = re.findall(r"(\w+): (\d+)", line[1]) if line else []
    return {cause: int(count) for cause, count in found}


def _percentile_table(report: str) -> dict[int, float]:
    rows = re.findall(r"^\s+(\d+)%\s+(\d+)(?: \(longest request\))?$", report, re.MULTILINE)
    return {int(rank): float(duration_ms) for rank, duration_ms in rows}


def _phases(report: str) -> tuple[PhaseTimes, ...]:
    rows = re.findall(
        r"^(Connect|Processing|Waiting|Total):\s+(\d+)\s+(\d+)\s+([\d.]+)\s+(\d+)\s+(\d+)$",
        report,
        re.MULTILINE,
    )
    return tuple(
        PhaseTimes(
            name=name,
            min_ms=float(least),
            mean_ms=float(mean),
            deviation_ms=float(deviation),
            median_ms=float(median),
            max_ms=float(most),
        )
        for name, least, mean, deviation, median, most in rows
    )


def _phase_value(report: str, field: str) -> float | None:
    total = next((each for each in _phases(report) if each.name == "Total"), None)
    return None if total is None else float(getattr(total, field))


# --- the files of -e and -g -------------------------------------------------------


def read_percentiles(report: str, complete_count: int) -> dict[int, float]:
    """Response time by percentile, from the file ``ab -e`` writes.

    With few requests ``ab`` reads past the end of its own list for the highest ranks
    and writes what lies there; those ranks are given the slowest request instead.

    Args:
        report: the CSV text: a header, then one row per whole percentile.
        complete_count: how many requests were measured.

    Returns:
        101 entries, percentile 0..100 → milliseconds; 0 is the fastest request, 50
        the median, 100 the slowest.

    Raises:
        OperationFailedError: the report is empty, as when ``ab`` gave up before
            completing a request.

    Source: httpd ``support/ab.c``, the block under ``if (csvperc)``.
    """
    rows = [row for row in csv.reader(io.StringIO(report)) if row][1:]
    if not rows:
        raise OperationFailedError("The load test ended before any request completed.")
    read = {int(rank): float(duration_ms) for rank, duration_ms in rows}
    slowest = read[100]
    return {
        rank: slowest if 0 < rank < 100 and _place(rank, complete_count) >= complete_count else ms
        for rank, ms in read.items()
    }


def _place(rank: int, complete_count: int) -> int:
    """Where ``ab`` looks for a percentile in its sorted list."""
    return int(0.5 + complete_count * rank / 100)


def read_times(text: str) -> list[float]:
    """Each request's time in whole milliseconds, ascending, from the file ``ab -g`` writes."""
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    return sorted(float(row["ttime"]) for row in rows if row.get("ttime"))


def histogram(
    curve_ms: Mapping[int, float], times_ms: Sequence[float]
) -> tuple[tuple[float, float, int], ...]:
    """How many requests took how long: (from ms, to ms, count).

    ``ab`` writes single requests in whole milliseconds and percentiles in thousandths;
    a fast deployment's histogram is drawn from the latter.
    """
    if curve_ms and curve_ms[100] - curve_ms[0] < FINE_BINS_BELOW_MS:
        return percentiles.histogram_of_curve(curve_ms, len(times_ms))
    return percentiles.histogram(times_ms)


# --- when ab gives up -------------------------------------------------------------


def explain(errors: str) -> str:
    """Why ``ab`` ended without a report, from what it wrote to standard error."""
    if "timeout specified has expired" in errors:
        return "No answer came within the time limit, so ab gave up."
    if "refused" in errors:
        return "The deployment refused the connection; its server is not running."
    if "apr_sockaddr_info_get" in errors:
        return "The deployment's host name is not known; look at its scoring URI."
    if "after 10 failures" in errors:
        return "More than ten connections failed, so ab gave up."
    if "SSL" in errors:
        return "The encrypted connection could not be made."
    said = [line for line in errors.splitlines() if line and not _PROGRESS.match(line)]
    return (
        f"ab ended without a report: {said[-1].strip()}" if said else "ab ended without a report."
    )


_NO_REPORT = "ab ended without a report."
_PROGRESS = re.compile(r"(Completed|Finished) \d+ requests|Total of \d+ requests")
