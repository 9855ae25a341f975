"""How to publish a pipeline where only code can: a notebook cell to copy."""

from __future__ import annotations

import streamlit as st

# Source: azureml-pipeline-core 1.62.0, ``Pipeline.publish`` and ``PipelineParameter``.
CODE = """\
from azureml.core import Workspace
from azureml.core.runconfig import RunConfiguration
from azureml.pipeline.core import Pipeline, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

workspace = Workspace.from_config()
configuration = RunConfiguration()
configuration.environment = workspace.environments["the environment of train.py"]

train = PythonScriptStep(
    name="train",
    script_name="train.py",
    source_directory="src",
    compute_target=workspace.compute_targets["cpu-cluster"],
    runconfig=configuration,
    arguments=["--dataset", PipelineParameter(name="dataset", default_value="people:latest")],
)
published = Pipeline(workspace, steps=[train]).publish(
    name="Retrain", description="what it does", version="1"
)
print(published.id, published.endpoint)
"""


def show() -> None:
    with st.expander("Publish from a notebook", icon=":material/code:"):
        st.caption(
            "Each PipelineParameter becomes a field of “Run now” and of a schedule. "
            "Publish again for a new version, and put it behind a pipeline endpoint."
        )
        st.code(CODE, language="python")
