"""Time limits: what is over them is ended, what was lifted in time never is."""

import threading

from services.local.telemetry.limits import TimeLimits


def test_what_takes_too_long_is_ended():
    ended = threading.Event()

    TimeLimits().set(0.01, ended.set)

    assert ended.wait(30)


def test_the_shorter_limit_ends_first_whenever_it_was_set():
    limits, long, short = TimeLimits(), threading.Event(), threading.Event()

    limits.set(3600, long.set)
    limits.set(0.01, short.set)

    assert short.wait(30)
    assert not long.is_set()


def test_what_was_lifted_is_not_ended():
    limits, lifted, later = TimeLimits(), threading.Event(), threading.Event()

    limits.lift(limits.set(0.2, lifted.set))
    limits.set(0.4, later.set)

    assert later.wait(30)
    assert not lifted.is_set()
