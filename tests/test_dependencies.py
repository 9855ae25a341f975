"""Imports point inwards, and what is heavy waits until it is needed."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.source_files import ROOT, imports, python_files

FORBIDDEN = {
    "pages": ("services.local", "services.azure", "azureml", "sqlite3", "subprocess"),
    "dashboard/components": ("services.local", "services.azure", "azureml"),
    "dashboard": ("pages", "sqlite3", "azureml"),
    "services": ("streamlit", "dashboard", "pages"),
    "services/local": ("services.azure", "azureml"),
    "services/azure": ("services.local",),
}
ADAPTERS = ("services.local", "services.azure")


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_point_inwards(folder):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(folder)
        for name in sorted(set(imports(path)))
        if _within(name, FORBIDDEN[folder])
    ]
    assert wrong == []


def test_one_place_opens_an_adapter():
    openers = [
        path.relative_to(ROOT).as_posix()
        for path in python_files("dashboard")
        if any(_within(name, ADAPTERS) for name in imports(path))
    ]
    assert openers == ["dashboard/opening.py"]


@pytest.mark.parametrize("name", ["domain", "errors", "percentiles", "recurrence"])
def test_the_core_needs_the_standard_library_only(name):
    package = ROOT / "services" / name
    files = python_files(f"services/{name}") if package.is_dir() else [package.with_suffix(".py")]
    outside = [
        module
        for path in files
        for module in imports(path)
        if module.partition(".")[0] not in sys.stdlib_module_names | {"services"}
    ]
    assert outside == []


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("services.ports", ("pandas", "azureml", "sqlite3", "streamlit")),
        ("services.local.workspace", ("pandas", "sklearn", "duckdb", "azureml", "streamlit")),
        ("services.local.supervisor", ("pandas", "sklearn", "duckdb", "azureml", "streamlit")),
        ("dashboard.shell", ("azureml", "sklearn", "duckdb", "lightgbm")),
        ("dashboard.server", ("azureml", "sklearn", "duckdb", "lightgbm")),
    ],
)
def test_what_is_heavy_waits_until_it_is_needed(module, unwanted):
    program = f"import sys, {module}; print(*sorted({set(unwanted)!r} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == []


def test_no_module_takes_the_name_of_a_library():
    # Streamlit puts dashboard/ first on the import path.
    libraries = (
        sys.stdlib_module_names
        | {name.lower() for name in packages_distributions()}
        | {"pages", "services"}
    )
    taken = {path.stem for path in (ROOT / "dashboard").glob("*.py")} & libraries
    assert taken <= {"__main__", "__init__"}
