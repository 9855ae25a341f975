"""The server's log: readable lines, and a size it does not outgrow."""

from __future__ import annotations

import subprocess
import sys

from services import log_lines
from services.local.processes import ROOT
from services.local.serving.server_log import RequestLog
from services.log_lines import Severity

SCRIPT = """
import sys
from pathlib import Path
from services.local.serving.server_log import RequestLog, set_up
set_up()
log = RequestLog(Path(sys.argv[1]), limit_bytes=20_000)
for number in range(1000):
    log.add("POST /score", status=200, duration_ms=1.0, length=number)
    if number % 100 == 99:
        log.flush()
log.flush()
import logging
logging.getLogger("scoring").warning("the last line")
"""


def test_lines_are_read_back_with_their_severity(tmp_path, capsys):
    log = RequestLog(tmp_path / "server.log")
    log.add("POST /score", status=200, duration_ms=0.4, length=24)
    log.add("POST /score", status=400, duration_ms=0.1, length=80, reason="“age” is\nmissing")
    log.add("POST /score", status=500, duration_ms=9.0, length=90)
    log.flush()

    entries = log_lines.entries(capsys.readouterr().out)

    assert [each.severity for each in entries] == [Severity.INFO, Severity.WARNING, Severity.ERROR]
    assert entries[0].text == "POST /score 200 0.400ms 24"
    assert entries[1].text.endswith("“age” is missing")
    assert entries[0].at is not None


def test_a_full_file_becomes_the_older_one_and_nothing_is_lost_between(tmp_path):
    path = tmp_path / "server.log"
    with path.open("ab") as output:
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path)], cwd=ROOT, stdout=output, check=True
        )

    older, newer = (path.with_suffix(".log.1").read_text(), path.read_text())

    assert path.stat().st_size < 40_000
    assert "the last line" in newer
    numbers = [int(line.split()[-1]) for line in (older + newer).splitlines() if "POST" in line]
    assert numbers == list(range(numbers[0], 1000))  # the latest, without a gap
    assert numbers[0] > 0


def test_started_by_hand_somebody_elses_output_is_left_alone(tmp_path):
    other = tmp_path / "other.log"
    with other.open("ab") as output:
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "server.log")],
            cwd=ROOT, stdout=output, check=True,
        )  # fmt: skip

    assert other.stat().st_size > 50_000
    assert list(tmp_path.iterdir()) == [other]
