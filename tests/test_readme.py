"""The README says what there is, and nothing else."""

from __future__ import annotations

import re

import pytest

from dashboard.navigation import REGISTRY
from dashboard.settings import SETTINGS
from services.azure.workspace import AzureWorkspace
from services.domain import Capability
from tests.source_files import ROOT

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its first two lines."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_page_is_described_in_the_order_of_the_menu():
    assert [row[0] for row in _rows("Pages")] == [page.title for page in REGISTRY]


def test_every_setting_is_listed_with_its_default():
    listed = [(name, default, meaning) for name, default, meaning in _rows("Settings")]

    assert listed == [(each.variable, each.default, each.meaning) for each in SETTINGS]


def test_what_azure_cannot_do_is_listed_with_a_reason():
    listed = dict(_rows("An Azure ML workspace"))

    assert set(listed) == set(Capability) - AzureWorkspace.capabilities
    assert all(listed.values())


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`?make ([a-z-]+)", README))))
def test_every_command_named_exists(command):
    assert re.search(rf"^{command}:", MAKEFILE, flags=re.MULTILINE)


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_link_leads_somewhere(path):
    assert (ROOT / path).exists()


def test_the_image_takes_everything_it_needs():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M)

    for source in " ".join(copied).split():
        assert any(line.lstrip("!").startswith(source) for line in ignored if line[:1] == "!"), (
            source
        )
