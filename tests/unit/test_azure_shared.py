"""What is made once while others wait for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.azure.shared import Shared
from services.errors import UnavailableError

AT_ONCE = 6


class Workshop:
    """Makes something when it is let, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.asked = 0
        self.entered, self.let = threading.Event(), threading.Event()
        self.trouble: Exception | None = None

    def make(self) -> object:
        self.asked += 1
        self.entered.set()
        assert self.let.wait(60)
        if self.trouble is not None:
            raise self.trouble
        return object()


def test_who_comes_meanwhile_waits_for_the_same():
    workshop = Workshop()
    shared = Shared(workshop.make, limit_s=60)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(shared.get) for _ in range(AT_ONCE)]
        assert workshop.entered.wait(60)
        workshop.let.set()
        assert len({id(each.result(60)) for each in answers}) == 1

    assert shared.get() is shared.get()
    assert workshop.asked == 1


def test_a_failure_is_not_remembered():
    workshop = Workshop()
    shared = Shared(workshop.make, limit_s=60)
    workshop.let.set()
    workshop.trouble = TimeoutError("its own")  # not mistaken for one of waiting
    with pytest.raises(TimeoutError, match="its own"):
        shared.get()

    workshop.trouble = None

    assert shared.get() is shared.get()
    assert workshop.asked == 2


def test_who_waits_too_long_is_told_and_the_next_does_not_wait_for_it():
    workshop = Workshop()
    shared = Shared(workshop.make, limit_s=0.05)
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(shared.get)
        assert workshop.entered.wait(60)
        with pytest.raises(UnavailableError, match="did not answer"):
            shared.get()
        workshop.let.set()
        fresh = shared.get()
        stuck.result(60)

    assert workshop.asked == 2
    assert shared.get() is fresh
