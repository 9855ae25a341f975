"""A page of a store is overwritten: it is said, nothing is changed, the other store goes on."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from services import attention
from services.alerts.gathering import Gatherer
from services.domain import ComponentState
from services.errors import OperationFailedError, ServiceError
from services.local import soundness
from services.local.workspace import LocalWorkspace, open_workspace
from tests.faults.mutants import overwritten
from tests.recorded import datasets, deployments, pipelines, runs

ROW = (5, "A damaged page of a store")
ROOT = Path(__file__).resolve().parents[2]
PAGE = 4096
NOW = datetime.now(UTC)
LIMIT_S = 60.0
CHANCE = random.Random(5)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with something of everything, closed: all of it is in the file itself."""
    home = tmp_path_factory.mktemp("recorded") / "workspace"
    workspace = open_workspace(home)
    datasets.people(workspace)
    runs.automl(home, workspace.store)
    deployments.deployment(home, workspace.store)
    pipelines.published(home, workspace.store)
    with workspace.store._connection() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in ("workspace.db-wal", "workspace.db-shm"):
        (home / beside).unlink(missing_ok=True)
    return home


QUESTIONS: dict[str, Callable[[LocalWorkspace], object]] = {
    "datasets": lambda workspace: workspace.datasets.list(),
    "runs": lambda workspace: workspace.runs.list("bank-marketing"),
    "models": lambda workspace: workspace.models.list(),
    "deployments": lambda workspace: workspace.deployments.list(),
    "transitions": lambda workspace: workspace.deployments.transitions(),
    "pipelines": lambda workspace: workspace.pipelines.list(),
    "schedules": lambda workspace: workspace.schedules.list(),
    "load tests": lambda workspace: workspace.load_tests.list(),
    "incidents": lambda workspace: workspace.alerts.incidents(),
    "changes": lambda workspace: workspace.audit.list(),
    "parts": lambda workspace: workspace.components(),
}


@dataclass
class Asked:
    """What became of everything a first look at the pages asks for."""

    answers: dict[str, str] = field(default_factory=dict)
    refused: int = 0  # with the sentence that names the file
    broken: dict[str, str] = field(default_factory=dict)  # an error nobody foresaw
    found_later: bool = False  # by the look at the whole file

    def wrong(self, good: Asked) -> list[str]:
        return [name for name, answer in self.answers.items() if answer != good.answers[name]]


def asked(home: Path) -> Asked:
    found = Asked()
    for name, question in QUESTIONS.items():
        try:
            answer = question(open_workspace(home))
        except ServiceError as error:
            assert str(home) in str(error)
            assert "DASHBOARD_HOME" in str(error)
            found.refused += 1
        except Exception as error:  # a value nobody could have written; it is shown as an error
            found.broken[name] = type(error).__name__
        else:
            found.answers[name] = repr(answer).replace(str(home), "HOME")
    return found


def asked_of(content: bytes, home: Path) -> Asked:
    """The same of a folder whose workspace.db has this content, which nobody changes."""
    home.mkdir()
    path = home / "workspace.db"
    path.write_bytes(content)

    found = asked(home)

    assert path.read_bytes() == content
    copies = [copy.read_bytes() for copy in home.glob("workspace.db.damaged-*Z")]
    assert copies == ([content] if found.refused else [])
    found.found_later = bool(soundness.look(path, now=NOW).problem)
    if found.found_later:
        (*_, store) = LocalWorkspace(home).components() if not found.refused else (None,)
        assert store is None or store.state is ComponentState.FAILED
    shutil.rmtree(home)
    return found


def test_every_page_of_the_workspace_in_turn(recorded, tmp_path, figures):
    content = (recorded / "workspace.db").read_bytes()
    good = asked_of(content, tmp_path / "home")
    assert not good.found_later and len(good.answers) == len(QUESTIONS)
    began = time.monotonic()
    pages = range(len(content) // PAGE)
    found = [asked_of(overwritten(content, page * PAGE, PAGE), tmp_path / "home") for page in pages]

    refused = sum(each.refused for each in found)
    met = sum(bool(each.refused) for each in found)
    assert refused > 100
    assert [each.wrong(good) for each in found if each.wrong(good)] == []
    assert [each.broken for each in found if each.broken] == []
    assert all(each.found_later for each in found)
    figures.add(
        "workspace.db, each of its pages",
        f"{len(pages)} pages of random bytes, {len(QUESTIONS)} questions each",
        f"{sum(len(each.answers) for each in found)} answered, each as from the undamaged file; "
        f"{refused} with the sentence that names the file; {met} damaged files met at once, "
        f"each copied, none changed; all {len(pages)} found by the look at the whole file, "
        "which is told as an incident and on every page",
        time.monotonic() - began,
    )


def test_one_bit_of_a_page_in_turn(recorded, tmp_path, figures):
    """SQLite keeps no checksums: a bit inside a value is a different value."""
    content = (recorded / "workspace.db").read_bytes()
    good = asked_of(content, tmp_path / "home")
    began = time.monotonic()
    kinds: Counter[str] = Counter()
    unnoticed: Counter[str] = Counter()
    for page in range(len(content) // PAGE):
        start = page * PAGE
        used = [at for at in range(start, start + PAGE) if content[at]]
        if not used:
            continue
        at = CHANCE.choice(used)
        flipped = content[:at] + bytes([content[at] ^ 1 << CHANCE.randrange(8)]) + content[at + 1 :]
        found = asked_of(flipped, tmp_path / "home")
        if found.refused:
            kinds["a sentence"] += 1
        elif found.found_later:
            kinds["found later"] += 1
        elif found.broken:
            kinds["broken"] += 1
        elif wrong := found.wrong(good):
            kinds["unnoticed"] += 1
            unnoticed.update(wrong)
            assert page_is_leaf(content, page), "SQLite could have noticed this"
        else:
            kinds["no effect"] += 1

    assert kinds["a sentence"] and kinds["found later"]
    figures.add(
        "workspace.db, one bit of each of its pages",
        f"{sum(kinds.values())} files, {len(QUESTIONS)} questions each",
        f"{kinds['a sentence']} met at once and told; {kinds['found later']} found by the look at "
        f"the whole file; {kinds['broken']} stop a question with an error nobody foresaw (a date "
        f"or JSON that is none); {kinds['no effect']} change no answer; {kinds['unnoticed']} NOT "
        f"noticed: a value inside a leaf page reads as another one "
        f"({', '.join(f'{count} × {name}' for name, count in unnoticed.items()) or 'none'}). "
        "SQLite keeps no checksums of pages; most of these are nearly empty, so that most bits are "
        "structure, which fuller pages have less of",
        time.monotonic() - began,
    )


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE runs SET created_at = replace(created_at, ':', ';')", "a value in runs"),
        ("UPDATE runs SET properties = replace(properties, '{', 'z')", "a value in runs"),
        (
            "UPDATE runs SET properties = CAST(x'7b22ff227d' AS TEXT)",
            "a value in runs cannot be read",
        ),
        ("UPDATE runs SET parent_id = 'AutoML_another' WHERE parent_id IS NOT NULL", "belongs to"),
    ],
    ids=["instant", "JSON", "text", "row"],
)
def test_a_value_nobody_could_have_written(recorded, tmp_path, figures, damage, told, request):
    home = tmp_path / "workspace"
    shutil.copytree(recorded, home)
    path = home / "workspace.db"
    assert not soundness.look(path, now=NOW).problem
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(damage).rowcount

    problem = soundness.look(path, now=NOW).problem

    assert told in problem and str(path) in problem
    assert LocalWorkspace(home).components()[-1].state is ComponentState.FAILED
    figures.add(
        f"workspace.db, {request.node.callspec.id}", damage, problem.split(" (")[1].split(")")[0]
    )


def page_is_leaf(content: bytes, page: int) -> bool:
    """Whether the page holds rows of a table or keys, and not the way to them, or is overflow.

    Source: SQLite, “Database File Format”, B-tree pages: 2 and 5 are interior.
    """
    return content[page * PAGE + (100 if page == 0 else 0)] not in (2, 5)


@pytest.mark.parametrize("what", ["header", "truncated", "emptied"])
def test_a_workspace_without_its_beginning_or_end(recorded, tmp_path, figures, what):
    home = tmp_path / "workspace"
    shutil.copytree(recorded, home)
    content = (home / "workspace.db").read_bytes()
    damaged = {
        "header": overwritten(content, 0, 100),
        "truncated": content[: len(content) // 2],
        "emptied": b"",
    }[what]
    (home / "workspace.db").write_bytes(damaged)

    with figures.timed("workspace.db", what) as said:
        with pytest.raises(OperationFailedError) as refused:
            workspace = open_workspace(home)
            with workspace.store.transaction() as db:  # a page that is gone is met by writing
                db.execute("DELETE FROM audit")
                db.execute("DELETE FROM runs")
        said.append(str(refused.value).replace(str(home), "…"))

    assert str(home / "workspace.db") in str(refused.value)
    assert (home / "workspace.db").read_bytes() == damaged
    shutil.copy(recorded / "workspace.db", home / "workspace.db")
    assert open_workspace(home).datasets.list()[0].name == "bank"


def test_a_page_says_it_and_works_again_with_the_file_restored(
    local_workspace, home, open_page, figures
):
    datasets.people(local_workspace)
    path = home / "workspace.db"
    good = path.read_bytes()
    path.write_bytes(overwritten(good, PAGE, len(good) - PAGE))

    for name in ("overview", "dataset", "models", "settings"):
        page = open_page(name)
        assert not page.exception, name
        said = [each.value for each in page.error]
        assert any("workspace.db is damaged" in each for each in said), name

    path.write_bytes(good)
    page = open_page("dataset")
    assert not page.exception and not page.error
    figures.add(
        "Overview, Dataset, Models, Settings",
        "all but the first page of the open workspace.db overwritten",
        f"“{said[0].replace(str(home), '…')}” Restored: the pages work without a restart",
    )


def test_damage_nobody_has_met_is_said_on_every_page_and_as_an_incident(
    local_workspace, home, open_page, figures
):
    """In a table that none of these pages asks for."""
    workspace, path = local_workspace, home / "workspace.db"
    datasets.people(workspace)
    with workspace.store._connection() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'metric_bands'"
        ).fetchone()
    good = path.read_bytes()
    path.write_bytes(overwritten(good, (page - 1) * PAGE, PAGE))
    assert workspace.components()[-1].state is ComponentState.RUNNING  # nobody has looked

    stopping = threading.Event()
    looking = threading.Thread(target=soundness.watch, args=(path, stopping))
    looking.start()
    until(lambda: soundness.last(path))
    stopping.set()
    looking.join()

    store = workspace.components()[-1]
    assert store.state is ComponentState.FAILED and "is damaged" in store.detail
    banner = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=LIMIT_S).run()
    assert any("is damaged" in each.value for each in banner.error)
    assert any("is damaged" in each.value for each in open_page("settings").caption)
    snapshot = Gatherer(workspace).look(workspace.alerts.rules(), now=NOW)
    (entry,) = [
        each
        for each in attention.entries(snapshot.seen, now=NOW)
        if each.cause == "component/store"
    ]
    assert entry.severity is attention.Severity.CRITICAL
    assert len(list(home.glob("workspace.db.damaged-*Z"))) == 1

    path.write_bytes(good)
    assert not soundness.look(path, now=NOW).problem
    assert workspace.components()[-1].state is ComponentState.RUNNING
    figures.add(
        "all pages",
        "a table overwritten that few of them read",
        f"the watcher finds it when it starts and every hour; “{entry.title}” on Overview, Alerts "
        "and Settings, and its sentence on every page; restored: gone within a minute",
    )


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
