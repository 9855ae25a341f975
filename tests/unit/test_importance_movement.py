"""What moved between two models' importances, and what did not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.importance_movement import Movement, movements

BEFORE = [("euribor3m", 0.5), ("age", 0.3), ("job", 0.15), ("month", 0.05)]


def moved(before, after):
    return {each.feature: each for each in movements(before, after)}


def test_two_swapped_features_are_exactly_those_that_moved():
    swapped = [("age", 0.5), ("euribor3m", 0.3), ("job", 0.15), ("month", 0.05)]

    found = moved(BEFORE, swapped)

    assert {name for name, each in found.items() if each.movement is not Movement.SAME} == {
        "age",
        "euribor3m",
    }
    assert found["age"].steps == 1 and found["euribor3m"].steps == -1


def test_the_same_importances_move_nothing():
    assert {each.movement for each in movements(BEFORE, BEFORE)} == {Movement.SAME}


def test_one_newcomer_and_one_that_vanished_move_nobody_else():
    after = [("duration", 0.6), ("euribor3m", 0.2), ("age", 0.15), ("month", 0.05)]

    found = moved(BEFORE, after)

    assert found["duration"].movement is Movement.NEW
    assert found["job"].movement is Movement.VANISHED
    assert {found[name].movement for name in ("euribor3m", "age", "month")} == {Movement.SAME}


def test_a_feature_of_no_importance_counts_as_absent():
    assert moved(BEFORE, [*BEFORE[:3], ("month", 0.0)])["month"].movement is Movement.VANISHED


def test_what_moved_is_listed_before_what_did_not():
    after = [("month", 0.4), ("euribor3m", 0.3), ("age", 0.2), ("job", 0.1)]

    assert movements(BEFORE, after)[0].feature == "month"


IMPORTANCES = st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 10), max_size=12).map(
    lambda found: list(found.items())
)


@given(IMPORTANCES, IMPORTANCES)
def test_going_back_reverses_every_movement(before, after):
    there, back = moved(before, after), moved(after, before)

    assert there.keys() == back.keys()
    opposite = {
        Movement.UP: Movement.DOWN,
        Movement.DOWN: Movement.UP,
        Movement.NEW: Movement.VANISHED,
        Movement.VANISHED: Movement.NEW,
        Movement.SAME: Movement.SAME,
    }
    assert all(back[name].movement is opposite[each.movement] for name, each in there.items())
    assert all(back[name].steps == -each.steps for name, each in there.items())
