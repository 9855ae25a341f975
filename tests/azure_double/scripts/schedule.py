"""Run a published pipeline every day, look at the schedules, and end this one."""

from azureml.core import Workspace
from azureml.pipeline.core import PublishedPipeline, Schedule, ScheduleRecurrence

ws = Workspace.from_config()
published = PublishedPipeline.list(ws)[0]

recurrence = ScheduleRecurrence(frequency="Day", interval=1, start_time="2035-01-01T06:00:00")
schedule = Schedule.create(
    ws,
    name="Daily retraining",
    description="From a script",
    pipeline_id=published.id,
    experiment_name="bank-retraining",
    recurrence=recurrence,
)
for each in Schedule.list(ws):
    print(each.name, each.status, each.recurrence.frequency, each.recurrence.interval)

schedule.disable()
print("after:", Schedule.get(ws, schedule.id).status)
