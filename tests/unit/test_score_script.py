"""The files Azure ML asks for beside a model."""

from __future__ import annotations

import ast

import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.domain import ColumnContract, ColumnType, DataContract
from services.local import score_script
from tests import scoring_models

names = st.text(min_size=1, max_size=30).filter(lambda text: "\ud800" not in text)
columns = st.builds(
    ColumnContract,
    name=names,
    type=st.sampled_from([ColumnType.STRING, ColumnType.INTEGER, ColumnType.NUMBER]),
    nullable=st.booleans(),
    example=st.none(),
)


def test_the_files_carry_the_names_automl_gives_them(tmp_path):
    score_script.write_scoring_files(tmp_path, scoring_models.contract())

    assert {path.name for path in tmp_path.iterdir()} == {
        "scoring_file_v_1_0_0.py",
        "conda_env_v_1_0_0.yml",
    }


def test_the_environment_is_one_conda_can_read():
    environment = yaml.safe_load(score_script.environment())

    python, pip, packages = environment["dependencies"]
    assert python == "python=3.11"
    assert pip == "pip"
    pins = {each.partition("==")[0] for each in packages["pip"]}
    assert {"scikit-learn", "lightgbm", "azureml-defaults"} <= pins


@given(st.lists(columns, min_size=1, max_size=4, unique_by=lambda each: each.name), names)
def test_the_script_is_python_whatever_columns_and_classes_are_called(columns, label):
    contract = DataContract(columns=tuple(columns), classes=(label, "other"))

    tree = ast.parse(score_script.scoring_script(contract))

    written = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {column.name for column in columns} <= written
    assert {"init", "run"} <= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
