"""Roles: every method of every port is classified, and a refusal is final and noted."""

from __future__ import annotations

import inspect
import typing
from pathlib import Path

import pytest

from services import access, ports
from services.access import Actor, GuardedWorkspace, Role
from services.domain import DataSource, SourceKind
from services.errors import AccessDeniedError, InvalidRequestError
from services.local.workspace import LocalWorkspace, open_workspace

ROWS = DataSource(kind=SourceKind.UPLOAD, location="people.csv", content=b"age,y\n1,no\n")


def methods() -> list[tuple[str, str]]:
    """Every port of a workspace with every public method or property it promises."""
    found = []
    for name, value in vars(ports.Workspace).items():
        if not isinstance(value, property):
            continue
        port = typing.get_type_hints(value.fget)["return"]
        if inspect.isabstract(port):
            found += [(name, each) for each in dir(port) if not each.startswith("_")]
    return found


@pytest.mark.parametrize(("port", "method"), methods())
def test_every_method_of_every_port_is_a_read_or_a_change(port, method):
    read = method in access.READS[port]
    assert read != (method in access.CHANGES[port])


def test_nothing_is_classified_that_does_not_exist():
    classified = {
        *((port, each) for port, reads in access.READS.items() for each in reads),
        *((port, each) for port, changes in access.CHANGES.items() for each in changes),
    }
    assert classified <= set(methods())


@pytest.fixture
def workspace(tmp_path: Path) -> LocalWorkspace:
    return open_workspace(tmp_path)


def test_a_viewer_reads(workspace):
    seen = GuardedWorkspace(workspace, Actor("ann@example.org", Role.VIEWER))

    assert seen.datasets.list() == ()
    assert seen.name == workspace.name


def test_a_viewer_who_changes_something_is_refused_and_it_is_noted(workspace):
    seen = GuardedWorkspace(workspace, Actor("ann@example.org", Role.VIEWER))

    with pytest.raises(AccessDeniedError, match=r"viewer.*operator"):
        seen.datasets.register("people", ROWS)

    assert workspace.datasets.list() == ()
    (event,) = workspace.audit.list()
    assert (event.actor, event.action) == ("ann@example.org", "access.refused")
    assert event.subject == "datasets/register"


def test_what_an_operator_changes_bears_their_name(workspace):
    GuardedWorkspace(workspace, Actor("bob@example.org", Role.OPERATOR)).datasets.register(
        "people", ROWS
    )

    assert [event.actor for event in workspace.audit.list()] == ["bob@example.org"]


def test_only_an_admin_deletes(workspace):
    with pytest.raises(AccessDeniedError, match="admin"):
        GuardedWorkspace(workspace, Actor("bob", Role.OPERATOR)).deployments.delete("bank")
    GuardedWorkspace(workspace, Actor("eve", Role.ADMIN)).deployments.delete("bank")


def test_a_viewer_never_sees_a_secret(workspace):
    seen = GuardedWorkspace(workspace, Actor("ann", Role.VIEWER))
    for ask in (lambda: seen.deployments.keys("bank"), seen.pipelines.rest_token):
        with pytest.raises(AccessDeniedError):
            ask()


def test_a_method_nobody_classified_is_for_admins_only():
    assert access.needed("datasets", "shred") is Role.ADMIN
    assert access.needed("unheard", "of") is Role.ADMIN


ROLES = {"admin": ["eve@example.org"], "operator": ["*@ops.example.org"], "viewer": ["*"]}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Eve@Example.org", Role.ADMIN),
        ("bob@ops.example.org", Role.OPERATOR),
        ("bob@ops.example.org.evil.com", Role.VIEWER),
        ("ann@example.org", Role.VIEWER),
    ],
)
def test_the_highest_role_that_matches_counts(name, role):
    assert access.role_of(name, ROLES) is role


def test_whoever_matches_nothing_has_no_role():
    assert access.role_of("ann@example.org", {"admin": ["eve@example.org"]}) is None


@pytest.mark.parametrize("roles", [{"owner": ["*"]}, {"admin": "eve@example.org"}])
def test_a_role_table_that_cannot_be_meant_is_refused(roles):
    with pytest.raises(InvalidRequestError, match=r"\[roles\]"):
        access.role_of("eve@example.org", roles)
