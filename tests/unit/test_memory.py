"""An answer is remembered as long as its back end bears, and never across a change."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from dashboard import memory, session, side_by_side
from dashboard.memory import Lifetime, remembered
from services.errors import UnavailableError

LONG = Lifetime(local=60, azure=60)
BRIEF = Lifetime(local=0, azure=60, moving=0, failed=60)


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """What is open, by back end and name; a test may change both."""
    workspace = SimpleNamespace(backend="azure", location="rg", name="ws", metered=True)
    monkeypatch.setattr(session, "workspace", lambda: workspace)
    memory.clear()
    yield workspace
    memory.clear()


class Counted:
    """Answers how often it was asked."""

    def __init__(self, *, failing: bool = False) -> None:
        self.count, self.failing = 0, failing

    def __call__(self, *_: object) -> int:
        self.count += 1
        if self.failing:
            raise UnavailableError("Azure ML did not answer.")
        return self.count


def test_an_answer_is_remembered_by_its_arguments():
    ask = Counted()
    read = remembered(LONG)(ask)

    assert (read("a"), read("b"), read("a")) == (1, 2, 1)


def test_another_workspace_is_asked_anew(opened):
    read = remembered(LONG)(Counted())
    read()

    opened.name = "another"

    assert read() == 2


def test_whoever_writes_makes_everybody_ask_anew():
    read = remembered(LONG)(Counted())
    read()

    memory.clear()

    assert read() == 2


def test_an_answer_under_way_while_something_is_written_is_not_kept():
    begun, written = threading.Event(), threading.Event()
    answers = iter(["before", "after"])

    def ask() -> str:
        answer = next(answers)
        begun.set()
        written.wait(10)
        return answer

    read = remembered(LONG)(ask)
    early = threading.Thread(target=read)
    early.start()
    begun.wait(10)
    memory.clear()
    written.set()
    early.join(10)

    assert read() == "after"


def test_what_changes_by_itself_is_asked_sooner():
    moving = remembered(BRIEF, moving=lambda answer: answer < 2)(Counted())

    assert [moving(), moving(), moving()] == [1, 2, 2]


def test_the_back_end_decides_how_long(opened):
    opened.backend = "local"
    read = remembered(BRIEF)(Counted())

    assert (read(), read()) == (1, 2)


def test_a_service_that_is_down_is_asked_once_for_a_whole_page():
    ask = Counted(failing=True)
    read = remembered(BRIEF)(ask)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="did not answer"):
            read()

    assert ask.count == 1


def test_a_local_failure_is_not_remembered(opened):
    opened.backend = "local"
    ask = Counted(failing=True)
    read = remembered(LONG)(ask)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            read()

    assert ask.count == 2


def test_asked_at_the_same_time_it_is_asked_once():
    ask = Counted()

    def slowly() -> int:
        time.sleep(0.05)
        return ask()

    read = remembered(LONG)(slowly)

    assert side_by_side.ask([read] * 8) == [1] * 8


def test_only_so_much_is_kept():
    read = remembered(LONG, most=2)(Counted())
    for name in ("a", "b", "c"):
        read(name)

    assert (read("c"), read("b"), read("a")) == (3, 2, 4)


def test_what_is_read_ahead_is_told_to_whoever_reads_it():
    ask = Counted(failing=True)
    read = remembered(BRIEF)(ask)

    side_by_side.ahead(read)

    with pytest.raises(UnavailableError):
        read()
    assert ask.count == 1


def test_side_by_side_answers_come_in_order_and_a_failure_is_raised():
    assert side_by_side.ask([lambda: 1, lambda: 2]) == [1, 2]
    with pytest.raises(UnavailableError):
        side_by_side.ask([lambda: 1, Counted(failing=True)])
