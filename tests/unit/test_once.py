"""What is made once for the very same inputs, and what never is."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dashboard.once import MOST, once


@dataclass(frozen=True)
class Record:
    name: str


def _counted():
    made = []

    @once
    def make(*inputs, **more):
        made.append((inputs, more))
        return object()

    return make, made


def test_equal_records_are_the_same():
    make, made = _counted()

    assert make(Record("a"), 1) is make(Record("a"), 1)
    assert len(made) == 1


def test_anything_else_is_made_anew():
    make, made = _counted()
    answers = {make(Record("a")), make(Record("b")), make(Record("a"), 1), make(Record("a"), key=1)}

    assert len(answers) == len(made) == 4


def test_one_and_true_are_not_the_same():
    make, _ = _counted()

    assert make(1) is not make(True)


def test_a_frame_is_known_as_one_object_only():
    make, made = _counted()
    frame = pd.DataFrame({"a": [1]})

    assert make(frame) is make(frame)
    make(frame.copy())
    make(frame[["a"]].rename(columns={"a": "b"}))
    assert len(made) == 3


def test_a_list_that_grew_is_not_mistaken_for_another():
    make, made = _counted()
    make([1])
    make([1])

    assert len(made) == 2


def test_only_the_last_few_are_kept():
    make, made = _counted()
    for number in range(MOST + 1):
        make(number)
    make(MOST)
    make(0)

    assert [inputs for inputs, _ in made[MOST:]] == [(MOST,), (0,)]
