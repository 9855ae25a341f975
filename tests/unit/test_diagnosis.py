"""Each canned error has its card, and what nobody knows stays unknown."""

import pytest

from services import diagnosis
from services.diagnosis import Symptoms, Trouble

LOG = "2024-05-01 09:00:09,004 I [71] scoring - serving generation 1: bank:1\n"

CANNED = [
    (Trouble.BAD_GATEWAY, "The deployment's server could not be reached (502): Bad Gateway."),
    (
        Trouble.BAD_GATEWAY,
        "The deployment closed the connection before it answered; its server may",
    ),
    (Trouble.UNAVAILABLE, "The deployment is not ready (503): no healthy upstream."),
    (Trouble.UNAVAILABLE, "The deployment answered 503 with no JSON inside."),
    (Trouble.GATEWAY_TIMEOUT, "The deployment took too long (504): upstream request timeout."),
    (Trouble.TIMEOUT, "The deployment did not answer within 10 s."),
    (Trouble.TIMEOUT, "Its server runs but does not answer its health check."),
    (Trouble.TIMEOUT, "Its server was not ready within 5 minutes."),
    (Trouble.CRASH_LOOP, "Its server ended 5 times within a minute, the last time with 1."),
    (Trouble.CRASH_LOOP, "Your container application crashed: CrashLoopBackOff"),
    (Trouble.CRASH_LOOP, "Its server ended (exit code 1) and is being started again."),
    (Trouble.OUT_OF_MEMORY, "Container terminated: OOMKilled"),
    (Trouble.CAPACITY, "0/3 nodes are available: 3 Insufficient cpu."),
    (Trouble.IMAGE, "Failed to pull image: ImagePullBackOff"),
    (Trouble.REFUSED, "The deployment refused the connection; its server is not running."),
]


@pytest.mark.parametrize(("trouble", "error"), CANNED)
@pytest.mark.parametrize("source", ["error", "probe"])
def test_each_canned_error_has_its_card(trouble, error, source):
    first, *_ = diagnosis.diagnose(Symptoms(log=LOG, unwell=True, **{source: error}))

    assert first.trouble is trouble
    assert (first.line, first.line_number) == (error, None)
    assert first.cause
    assert first.next_step


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        (Trouble.SCRIPT, "ModuleNotFoundError: No module named 'lightgbm'"),
        (Trouble.MODEL, "FileNotFoundError: [Errno 2] No such file: '/var/azureml-app/model.pkl'"),
        (Trouble.OUT_OF_MEMORY, "MemoryError"),
        (Trouble.TIMEOUT, "[CRITICAL] WORKER TIMEOUT (pid:41)"),
        (Trouble.GATEWAY_TIMEOUT, '10.0.0.1 - - "POST /score HTTP/1.0" 200 - upstream timed out'),
        (Trouble.BAD_GATEWAY, "2024-05-01 09:01:00,310 E [71] scoring - POST /score 502 0.4ms 24"),
    ],
)
def test_the_line_of_the_log_that_decided_is_named(trouble, line):
    log = f"{LOG}Traceback (most recent call last):\n{line}\n{LOG}"

    first, *_ = diagnosis.diagnose(Symptoms(error="Its log says why.", log=log, unwell=True))

    assert first.trouble is trouble
    assert (first.line, first.line_number) == (line, 3)


def test_what_explains_a_crash_loop_stands_before_it():
    found = diagnosis.diagnose(
        Symptoms(
            error="Its server ended 5 times within a minute, the last time with 1.",
            log="ModuleNotFoundError: No module named 'xgboost'",
            unwell=True,
        )
    )

    assert [each.trouble for each in found] == [Trouble.SCRIPT, Trouble.CRASH_LOOP]


def test_the_unknown_stays_unknown_and_shows_the_last_error_of_the_log():
    (card,) = diagnosis.diagnose(
        Symptoms(error="It is odd.", log="ERROR the flux broke\nall quiet\n", unwell=True)
    )

    assert card.trouble is Trouble.UNKNOWN
    assert (card.line, card.line_number) == ("ERROR the flux broke", 1)


def test_a_log_that_says_nothing_decides_nothing():
    (card,) = diagnosis.diagnose(Symptoms(log=LOG * 3, unwell=True))

    assert (card.trouble, card.line, card.line_number) == (Trouble.UNKNOWN, "", None)


def test_sizes_ports_and_durations_are_no_statuses():
    log = "I [503] scoring - POST /score 200 504.1ms 502\nlistens on 127.0.0.1:502\n"

    (card,) = diagnosis.diagnose(Symptoms(log=log, unwell=True))

    assert card.trouble is Trouble.UNKNOWN


def test_a_stuck_transition_says_so():
    (card,) = diagnosis.diagnose(Symptoms(log=LOG, stuck=True))

    assert card.trouble is Trouble.STUCK


def test_nothing_is_said_of_what_is_well_whatever_its_log_holds():
    assert diagnosis.diagnose(Symptoms(error="", log="MemoryError\n")) == ()
