"""kill -9 at every step of what is asked for here: it is there whole, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.alerts import messages, sending
from services.alerts.watching import Watch
from services.domain import (
    DataSource,
    Frequency,
    KeyKind,
    LoadTestPlan,
    LogTail,
    Recurrence,
    RunStatus,
    SourceKind,
)
from services.errors import ConflictError
from services.local.alert_outbox import Outbox
from services.local.alert_secrets import ChannelSecrets
from services.local.pipeline_duty import PipelineDuty
from services.local.workspace import LocalWorkspace, open_workspace
from tests import receivers, scoring_models
from tests.faults.figures import Figures
from tests.faults.stepwise import at_each_step
from tests.recorded import alerts, overview, pipelines, runs

ROW = (1, "kill -9 at each step")
CSV = "age,job,y\n" + "".join(f"{20 + n % 40},job{n % 3},{n % 2}\n" for n in range(80))
LOG = [f"2024-05-01 09:{n // 60:02}:{n % 60:02},000 I [7] scoring - line {n}" for n in range(120)]


# What is killed, each in a process of its own.


def register_dataset(home: Path) -> None:
    source = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=CSV.encode())
    open_workspace(home).datasets.register("people", source)


def register_model(home: Path) -> None:
    workspace = open_workspace(home)
    run = workspace.runs.list("bank-marketing")[0]
    workspace.models.register(run.id, "answers")


def deploy(home: Path) -> None:
    workspace = open_workspace(home)
    name = f"bank-{len(workspace.deployments.list())}"
    workspace.deployments.begin_create(name, "bank:1")


def update(home: Path) -> None:
    workspace = open_workspace(home)
    with workspace.store.reading() as db:
        (telemetry,) = db.execute("SELECT telemetry_enabled FROM deployments").fetchone()
    workspace.deployments._clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    workspace.deployments.begin_update("bank", telemetry=not telemetry)


def regenerate_key(home: Path) -> None:
    open_workspace(home).deployments.begin_regenerate_key("bank", KeyKind.PRIMARY)


def rotate(home: Path) -> None:
    rotations = open_workspace(home).rotations
    with suppress(ConflictError):  # begun before it was killed
        rotations.begin("bank")
    for _ in range(2):
        rotation = rotations.latest("bank")
        assert rotation is not None
        rotations.advance("bank", rotation.step)


def submit(home: Path) -> None:
    pipelines_ = open_workspace(home).pipelines
    pipelines_.submit(pipelines_.list()[0].id, "people")


def fire(home: Path) -> None:
    workspace = open_workspace(home)
    PipelineDuty(home, workspace.store).tick(datetime.now(UTC))


def load_test(home: Path) -> None:
    plan = LoadTestPlan(deployment="bank", payload=scoring_models.payload(), requests=10)
    with suppress(ConflictError):  # begun before it was killed
        open_workspace(home).load_tests.begin(plan)


def archive_log(home: Path) -> None:
    archive = open_workspace(home).log_archive
    known = archive.search("bank").line_count
    for end in range(known + 20, len(LOG) + 1, 20):  # a log only grows
        text = "\n".join(LOG[max(0, end - 40) : end])
        archive.keep("bank", LogTail(text=text, line_count=40, limit=40, complete=False))


def send_alerts(home: Path) -> None:
    workspace = open_workspace(home)
    outbox = Outbox(workspace.store)
    clock = home / "minutes"
    minutes = int(clock.read_text()) + 1 if clock.exists() else 1
    clock.write_text(str(minutes))  # each attempt is a minute later
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    Watch(workspace, outbox).evaluate(now=now)
    while claimed := outbox.claim(now=now, limit=1):
        for due in claimed:
            channel = workspace.alerts.channels()[0]
            message = messages.of_incident(
                due.incident, due.event, workspace="w", at=due.created_at
            )
            sending.send(channel, message, secret=ChannelSecrets(home).read(channel.id))
            outbox.sent(due, now=now)


# What must be true after each kill.


def whole_datasets(workspace: LocalWorkspace) -> int:
    versions = [each for each in workspace.datasets.list() if each.name == "people"]
    if not versions:
        return 0
    versions = list(workspace.datasets.versions("people"))
    for each in versions:
        assert len(workspace.datasets.frame(each.name, each.version)) == each.row_count == 80
        assert workspace.datasets.profile(each.name, each.version).row_count == 80
    assert [each.version for each in versions] == list(range(len(versions), 0, -1))
    return len(versions)


def whole_models(workspace: LocalWorkspace) -> int:
    found = [each for each in workspace.models.list() if each.name == "answers"]
    for each in found:
        folder = workspace.models.folder(each.name, each.version)
        assert (folder / "model.pkl").stat().st_size == each.size_bytes
        workspace.models.contract(each.id)
    assert sorted(each.version for each in found) == list(range(1, len(found) + 1))
    return len(found)


def audited(workspace: LocalWorkspace, action: str) -> int:
    return sum(each.action == action for each in workspace.audit.list(limit=10_000))


@pytest.fixture
def killed(tmp_path: Path, figures: Figures) -> Callable[..., int]:
    def killed(
        operation: Callable[[Path], None],
        count: Callable[[LocalWorkspace], int],
        action: str,
        *,
        at_most: int | None = None,
    ) -> int:
        """Kill it at each step; what is there after each must be whole and in the audit log."""
        seen: list[int] = []
        before = count(open_workspace(tmp_path)), audited(open_workspace(tmp_path), action)

        def check(step: int) -> None:
            workspace = open_workspace(tmp_path)
            found = count(workspace)
            assert found >= (seen[-1] if seen else before[0]), "something acknowledged was lost"
            if action:
                done = audited(workspace, action) - before[1]
                assert done == found - before[0], f"after step {step}"
            seen.append(found)

        began = time.monotonic()
        kills = at_each_step(operation, tmp_path, check)
        assert kills > 3
        assert seen[-1] > before[0]
        if at_most is not None:
            assert seen[-1] - before[0] <= at_most
        left = list(tmp_path.rglob(".incoming*")) + list(tmp_path.rglob("*.part"))
        figures.add(
            operation.__name__.replace("_", " "),
            f"killed at each of its {kills} steps, then let through",
            f"{seen[-1] - before[0]} there at the end, each whole"
            + (" and audited once" if action else "")
            + (f"; {len(left)} folders of unfinished copies" if left else ""),
            time.monotonic() - began,
        )
        return kills

    return killed


def test_registering_a_dataset(killed):
    killed(register_dataset, whole_datasets, "dataset.register")


def test_registering_a_model(tmp_path, killed):
    runs.automl(tmp_path, open_workspace(tmp_path).store, model=True)
    killed(register_model, whole_models, "model.register")


def test_deploying(tmp_path, killed):
    scoring_models.register(tmp_path, open_workspace(tmp_path).store, "bank:1")

    def count(workspace: LocalWorkspace) -> int:
        found = workspace.deployments.list()
        for each in found:
            keys = workspace.deployments.keys(each.name)
            assert keys.primary and keys.secondary
            assert len(workspace.deployments.transitions(each.name)) == 1
        return len(found)

    killed(deploy, count, "deployment.create")


@pytest.fixture
def bank(tmp_path: Path) -> LocalWorkspace:
    workspace = open_workspace(tmp_path)
    scoring_models.register(tmp_path, workspace.store, "bank:1")
    workspace.deployments.begin_create("bank", "bank:1")
    return workspace


def test_regenerating_a_key(bank, killed):
    keys = {bank.deployments.keys("bank").primary}

    def count(workspace: LocalWorkspace) -> int:
        keys.add(workspace.deployments.keys("bank").primary)
        assert workspace.deployments.keys("bank").secondary
        return len(keys)

    killed(regenerate_key, count, "deployment.regenerate key")


def test_rotating_keys(bank, killed):
    keys = {bank.deployments.keys("bank").primary}

    def count(workspace: LocalWorkspace) -> int:
        keys.add(workspace.deployments.keys("bank").primary)
        rotation = workspace.rotations.latest("bank")
        return 0 if rotation is None else 1

    killed(rotate, count, "rotation.begin", at_most=1)
    assert len(keys) <= 2, "a key was asked for twice"


def test_submitting_a_pipeline(tmp_path, killed):
    workspace = open_workspace(tmp_path)
    pipelines.published(tmp_path, workspace.store)

    def count(workspace: LocalWorkspace) -> int:
        found = workspace.pipelines.runs()
        assert all(workspace.pipelines.steps(each.id) for each in found)
        assert {each.status for each in found} <= {RunStatus.QUEUED, RunStatus.NOT_STARTED}
        return len(found)

    killed(submit, count, "")


def test_firing_a_schedule(tmp_path, killed):
    workspace = open_workspace(tmp_path)
    pipeline_id = pipelines.published(tmp_path, workspace.store)
    start = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=5)
    workspace.schedules._clock = lambda: datetime.now(UTC) - timedelta(minutes=10)
    schedule = workspace.schedules.create(
        "daily",
        Recurrence(frequency=Frequency.DAY, start_time=start),
        pipeline_id=pipeline_id,
        experiment="people",
    )

    def count(workspace: LocalWorkspace) -> int:
        firings = workspace.schedules.firings(schedule.id)
        found = workspace.pipelines.runs()
        assert {each.run_id for each in firings} == {each.id for each in found}
        return len(found)

    killed(fire, count, "", at_most=1)


def test_beginning_a_load_test(bank, killed, tmp_path):
    from tests.recorded import deployments

    bank.deployments.delete("bank")
    deployments.deployment(tmp_path, bank.store, "bank", model_id="bank:1")
    deployments.supervised(bank.store)
    killed(load_test, lambda workspace: len(workspace.load_tests.list()), "", at_most=1)


def test_archiving_a_log(killed):
    def count(workspace: LocalWorkspace) -> int:
        found = workspace.log_archive.search("bank", limit=1000)
        lines = [each.text for each in found.lines if not each.gap]
        assert lines == LOG[: len(lines)]
        return len(lines)

    killed(archive_log, count, "", at_most=len(LOG))


def test_sending_alerts(tmp_path, killed):
    workspace = open_workspace(tmp_path)
    overview.supervised(workspace.store)
    with receivers.webhook() as hook:
        alerts.webhook(workspace, hook.url)
        for name in ("one", "two"):
            runs.failed(
                tmp_path, workspace.store, experiment=name,
                started=datetime.now(UTC) - timedelta(hours=1),
            )  # fmt: skip

        def count(workspace: LocalWorkspace) -> int:
            sent = [each for each in workspace.alerts.deliveries() if each.settled]
            assert len({each["idempotency-key"] for each in hook.headers}) <= 2
            return len(sent)

        killed(send_alerts, count, "", at_most=2)

        assert {post["incident"]["title"] for post in hook.posts} == {
            "Run 1 of one failed",
            "Run 1 of two failed",
        }
        assert len(workspace.alerts.incidents()) == 2
