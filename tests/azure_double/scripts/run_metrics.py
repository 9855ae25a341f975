"""The candidates of an AutoML run, and every metric of the best one."""

from azureml.core import Experiment, Workspace

ws = Workspace.from_config()
experiment = Experiment(ws, "bank-marketing")

parent = next(run for run in experiment.get_runs() if run.get_status() == "Completed")
children = list(parent.get_children())
print("children:", len(children))

best = max(
    (child for child in children if child.get_status() == "Completed"),
    key=lambda child: float(child.get_properties().get("score", "nan")),
)
metrics = best.get_metrics()
print("AUC_weighted:", metrics["AUC_weighted"])
print("files:", "outputs/model.pkl" in best.get_file_names())
