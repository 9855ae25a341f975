"""What every kind of trouble needs: a place for its figures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.figures import Figures
from tests.pages.conftest import home, local_workspace, open_page  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """The rows of this module, whose ``ROW`` says their number and title."""
    figures = Figures(*request.module.ROW)
    yield figures
    figures.write()
