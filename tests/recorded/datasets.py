"""Datasets registered a moment ago, small enough to take milliseconds.

datasets.people(workspace)                    # bank:1, 40 rows, 4 columns
datasets.people(workspace, "customers", row_count=7)
datasets.synthetic(workspace)                 # labelled as the synthetic sample is
"""

from __future__ import annotations

from services.domain import Dataset, DataSource, SourceKind
from services.ports import Workspace

JOBS = ("admin.", "services", "retired", "student")


def text(row_count: int = 40) -> str:
    """CSV with the columns age, job, pdays and y; every eighth row says yes."""
    lines = ["age,job,pdays,y"]
    for row in range(row_count):
        pdays = 3 if row % 5 == 0 else 999
        lines.append(f"{20 + row},{JOBS[row % 4]},{pdays},{'yes' if row % 8 == 0 else 'no'}")
    return "\n".join(lines) + "\n"


def people(workspace: Workspace, name: str = "bank", *, row_count: int = 40) -> Dataset:
    """The next version of `name`, made of `text`."""
    return register(workspace, name, text(row_count))


def register(workspace: Workspace, name: str, content: str, **options: object) -> Dataset:
    """The next version of `name`, holding any CSV."""
    source = DataSource(kind=SourceKind.UPLOAD, location=f"{name}.csv", content=content.encode())
    return workspace.datasets.register(name, source, **options)  # type: ignore[arg-type]


def synthetic(workspace: Workspace, name: str = "Bank Marketing (synthetic)") -> Dataset:
    """A few rows that carry the mark of generated ones."""
    return register(workspace, name, text(8), tags={"synthetic": "true"})
