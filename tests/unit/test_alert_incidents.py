"""From findings to incidents: one per cause, opened once, resolved once, whatever happens."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts import rules as catalog
from services.alerts.checks import Finding
from services.alerts.incidents import Memory, decide, in_words, worst_first
from services.alerts.records import Source
from services.attention import Attention, Severity

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULES = catalog.with_defaults(())
HOLD = catalog.CATALOG["deployment_unwell"].hold
CLEAR = catalog.CATALOG["deployment_unwell"].clear


def finding(cause="run/1", rule="run_stuck", *, title="Run 1 is stuck", explained_by=""):
    entry = Attention(
        severity=RULES[rule].severity,
        title=title,
        detail="",
        page="training_runs",
        rule=rule,
        cause=cause,
    )
    return Finding(entry=entry, explained_by=explained_by)


class Story:
    """Evaluations one after the other, and what is open meanwhile."""

    def __init__(self):
        self.now, self.memory, self.open = NOW, Memory(), {}
        self.told = []
        self._ids = itertools.count(1)

    def evaluate(self, *findings, missing=frozenset(), later=timedelta(seconds=10), rules=RULES):
        self.now += later
        decision = decide(
            findings,
            rules,
            tuple(self.open.values()),
            self.memory,
            missing=missing,
            now=self.now,
            new_id=lambda: f"inc-{next(self._ids)}",
        )
        for incident in (*decision.opened, *decision.changed):
            assert incident.open
            self.open[incident.id] = incident
        for incident in decision.resolved:
            del self.open[incident.id]
        self.told += [("opened", each.cause) for each in decision.opened]
        self.told += [("resolved", each.cause) for each in decision.resolved]
        self.memory = decision.memory
        return decision


@pytest.fixture
def story():
    return Story()


def test_a_stuck_run_alerts_once_and_is_resolved_when_it_ends(story):
    for _ in range(30):
        story.evaluate(finding())
    story.evaluate()
    story.evaluate()

    assert story.told == [("opened", "run/1"), ("resolved", "run/1")]


def test_what_comes_back_after_it_was_resolved_is_a_new_incident(story):
    first = story.evaluate(finding()).opened[0]
    story.evaluate()
    second = story.evaluate(finding()).opened[0]

    assert first.id != second.id


def test_a_deployment_that_is_unwell_for_a_moment_is_not_told(story):
    unwell = finding("deployment/bank", "deployment_unwell")
    story.evaluate(unwell)
    story.evaluate()
    story.evaluate(unwell)

    assert story.told == []


def test_a_deployment_that_stays_unwell_is_told_after_the_hold(story):
    unwell = finding("deployment/bank", "deployment_unwell")
    story.evaluate(unwell)
    story.evaluate(unwell, later=HOLD)

    assert story.told == [("opened", "deployment/bank")]


def test_a_moment_of_health_does_not_resolve(story):
    unwell = finding("deployment/bank", "deployment_unwell")
    story.evaluate(unwell)
    story.evaluate(unwell, later=HOLD)
    story.evaluate(later=timedelta(seconds=5))
    story.evaluate(unwell)
    story.evaluate(later=timedelta(seconds=5))
    assert story.told == [("opened", "deployment/bank")]

    story.evaluate(later=CLEAR)

    assert story.told[1:] == [("resolved", "deployment/bank")]


def test_nothing_is_resolved_while_its_source_does_not_answer(story):
    story.evaluate(finding())

    story.evaluate(missing=frozenset({Source.RUNS}))
    assert len(story.open) == 1

    story.evaluate()
    assert not story.open


def test_an_incident_of_a_rule_that_was_turned_off_says_that_nobody_looked(story):
    story.evaluate(finding())
    off = catalog.with_defaults([catalog.AlertRule(
        key="run_stuck", enabled=False, severity=Severity.WARNING, values={}
    )])  # fmt: skip

    (resolved,) = story.evaluate(rules=off, missing=frozenset(Source)).resolved

    assert "turned off" in resolved.resolution


def test_what_follows_from_another_cause_is_not_told_and_not_resolved(story):
    slow = finding("p95/bank", "p95")
    story.evaluate(slow)
    explained = finding("p95/bank", "p95", explained_by="deployment/bank")
    story.evaluate(explained, later=timedelta(minutes=10))
    assert story.told == [("opened", "p95/bank")]

    fresh = Story()
    fresh.evaluate(explained)
    assert fresh.told == []


def test_a_change_of_words_is_no_new_alert(story):
    story.evaluate(finding(title="Run 1 is stuck"))

    decision = story.evaluate(finding(title="Run 1 does not respond"))

    assert [each.title for each in decision.changed] == ["Run 1 does not respond"]
    assert story.told == [("opened", "run/1")]


def test_losing_the_memory_never_doubles_an_alert(story):
    unwell = finding("deployment/bank", "deployment_unwell")
    story.evaluate(unwell)
    story.evaluate(unwell, later=HOLD)
    story.memory = Memory()  # the watcher was killed
    story.evaluate(unwell, later=HOLD * 2)

    assert story.told == [("opened", "deployment/bank")]


CAUSES = {"run/1": "run_stuck", "deployment/a": "deployment_unwell", "p95/a": "p95"}
STEPS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(sorted(CAUSES))),
        st.sets(st.sampled_from(sorted(CAUSES))),  # explained
        st.sets(st.sampled_from(sorted(Source))),
        st.integers(-3600, 3600),  # seconds; clocks are set back, too
        st.booleans(),  # killed before
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_alerts_and_resolutions_alternate(steps):
    story = Story()
    for found, explained, missing, seconds, killed in steps:
        if killed:
            story.memory = Memory()
        before = dict(story.open)
        findings = [
            finding(cause, CAUSES[cause], explained_by="other" if cause in explained else "")
            for cause in sorted(found)
        ]
        decision = story.evaluate(
            *findings, missing=frozenset(missing), later=timedelta(seconds=seconds)
        )

        for resolved in decision.resolved:
            assert resolved.cause not in found
            assert not catalog.CATALOG[resolved.rule].sources & missing
        for opened in decision.opened:
            assert opened.cause in found - explained
            assert opened.cause not in {each.cause for each in before.values()}

    for cause in CAUSES:
        events = [event for event, about in story.told if about == cause]
        assert events == ["opened", "resolved"] * (len(events) // 2) + ["opened"] * (
            len(events) % 2
        )


def test_incidents_are_listed_open_first_and_worst_first(story):
    story.evaluate(finding("run/1"), finding("probe/bank", "probe_failed"))
    (ended,) = story.evaluate(finding("probe/bank", "probe_failed")).resolved

    story.evaluate(finding("run/2"), finding("probe/bank", "probe_failed"))
    listed = worst_first([ended, *story.open.values()])

    assert [each.cause for each in listed] == ["probe/bank", "run/2", "run/1"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (40, "40 s"), (720, "12 min"), (11_100, "3 h 5 min"), (187_200, "2 d 4 h")],
)
def test_how_long_it_lasted_is_said_in_two_units(seconds, text):
    assert in_words(timedelta(seconds=seconds)) == text
