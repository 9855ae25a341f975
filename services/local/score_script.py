"""Writes what Azure ML needs beside a model to serve it: a scoring script and its environment.

The files carry the names AutoML gives them, so a registered model is deployed to Azure
Container Instances, or to Azure's own inference server, from the very folder that is
served here.
"""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from services.domain import ColumnContract, ColumnType, DataContract

SCRIPT = "scoring_file_v_1_0_0.py"
ENVIRONMENT = "conda_env_v_1_0_0.yml"
PREDICT_METHODS = ("predict", "predict_proba")

_PACKAGES = ("scikit-learn", "lightgbm", "xgboost-cpu", "pandas", "numpy", "scipy")
_SCHEMA_PACKAGE = "inference-schema[numpy-support,pandas-support]>=1.8,<2"
# azureml-core refuses to deploy an environment that does not name this package.
_SERVER_PACKAGE = "azureml-defaults"

_DTYPES = {
    ColumnType.INTEGER: "int64",
    ColumnType.NUMBER: "float64",
    ColumnType.STRING: "object",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATETIME: "datetime64[ns]",
}


def write_scoring_files(folder: Path, contract: DataContract) -> None:
    """Put ``scoring_file_v_1_0_0.py`` and ``conda_env_v_1_0_0.yml`` beside a ``model.pkl``.

    Args:
        folder: where the model is, or will be; made if it does not exist.
        contract: the model's features in order, with an example value each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(scoring_script(contract), encoding="utf-8")
    (folder / ENVIRONMENT).write_text(environment(), encoding="utf-8")


def scoring_script(contract: DataContract) -> str:
    """The text of a scoring script whose schema is `contract`."""
    columns = "".join(f"        {_sample_column(each)},\n" for each in contract.columns)
    return _SCRIPT.format(columns=columns, result=_sample_result(contract.classes))


def environment() -> str:
    """A conda environment with the versions installed here."""
    pins = [f"{name}=={metadata.version(name)}" for name in _PACKAGES]
    packages = "".join(f"      - {each}\n" for each in (*pins, _SCHEMA_PACKAGE, _SERVER_PACKAGE))
    major, minor, _ = platform.python_version_tuple()
    return (
        "name: scoring\n"
        "channels:\n  - conda-forge\n"
        "dependencies:\n"
        f"  - python={major}.{minor}\n"
        "  - pip\n"
        "  - pip:\n" + packages
    )


def _sample_column(column: ColumnContract) -> str:
    dtype = _DTYPES[column.type]
    if column.nullable and dtype in ("int64", "bool"):  # these hold no missing value
        dtype = "float64" if dtype == "int64" else "object"
    value = _literal(_plain(column), column.type)
    return f"{_quoted(column.name)}: pd.Series([{value}], dtype={json.dumps(dtype)})"


def _plain(column: ColumnContract) -> Any:
    if column.example is not None:
        return column.example
    fallback = {
        ColumnType.INTEGER: 0,
        ColumnType.NUMBER: 0.0,
        ColumnType.BOOLEAN: False,
        ColumnType.DATETIME: "2000-01-01T00:00:00",
    }
    return fallback.get(column.type, "example_value")


def _literal(value: Any, kind: ColumnType) -> str:
    if kind in (ColumnType.STRING, ColumnType.DATETIME):
        return _quoted(str(value))
    return repr(bool(value)) if kind is ColumnType.BOOLEAN else repr(value)


def _quoted(text: str) -> str:
    """A Python literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _sample_result(classes: tuple[str, ...]) -> str:
    if not classes:
        return "[0.0]"
    whole = all(each.lstrip("-").isdigit() for each in classes)
    return f"[{classes[0] if whole else _quoted(classes[0])}]"


_SCRIPT = '''\
"""Scores rows with the model beside this file, as a web service of Azure Machine Learning.

Takes {{"data": [{{column: value, …}}, …]}} and, if wanted, "method": "predict_proba".
Answers a JSON text, {{"result": […]}}, one entry per row. A failure is raised and not
returned, so that the service answers with an error status.
"""

import json
import logging
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

log = logging.getLogger(__name__)
model = None

data_sample = pd.DataFrame(
    {{
{columns}    }}
)
method_sample = StandardPythonParameterType("predict")
result_sample = np.array({result})


def init():
    global model
    folder = Path(os.environ.get("AZUREML_MODEL_DIR") or Path(__file__).parent)
    path = next(folder.rglob("model.pkl"))
    with path.open("rb") as file:
        model = pickle.load(file)
    log.info("loaded %s", path)


@input_schema("method", method_sample, convert_to_provided_type=False)
@input_schema("data", PandasParameterType(data_sample))
@output_schema(NumpyParameterType(result_sample))
def run(data, method="predict"):
    if method not in ("predict", "predict_proba"):
        raise ValueError("method is predict or predict_proba, not " + repr(method))
    result = getattr(model, method)(data[list(data_sample.columns)])
    return json.dumps({{"result": np.asarray(result).tolist()}})
'''
