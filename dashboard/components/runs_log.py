"""The log of a run or of one of its children: how much of it this is, searched, to take away."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formats, reads, session
from dashboard.components import runs_child, runs_list, runs_triage
from dashboard.run_facts import RunFacts
from services import triage
from services.domain import LogTail, Run

VIEW = "Logs"  # what the view of a run calls this part
LIMITS = (200, 1000, 5000)
SHOWN, ERRORS = 5000, 50  # lines drawn, and lines shown in front of them
MAIN_LOGS = (  # of a local run, of an AutoML child, of a script run today and before
    "logs/azureml_automl.log",
    "azureml_automl.log",
    "user_logs/std_log.txt",
    "70_driver_log.txt",
)
TALL, HEIGHT = 24, 560  # lines from which the log scrolls, pixels it then has


def show(facts: RunFacts) -> None:
    named = {facts.run.id: f"{runs_list.title(facts.run)} (the search itself)"}
    named |= {child.id: _label(child) for child in facts.children}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = runs_child.show("Log of", named, width=330)
        limit = st.selectbox("At most", LIMITS, index=1, key="runs.log-limit", width=130,
                             format_func=lambda lines: f"{lines:,} lines")  # fmt: skip
        text = st.text_input(
            "Search", key="runs.log-search", type="search", live=True, width=190,
            placeholder="Only lines with …",
        )  # fmt: skip
        whole = st.toggle(
            "Whole log",
            key="whole",
            bind="query-params",
            help="Reads every line, from the first one on; a long log takes a moment",
        )
        st.space("stretch")
        download = st.container(width="content")
    run = facts.child(chosen) or facts.run
    if run.error and run.id != facts.run.id:  # the run's own stands above
        st.error(formats.sentence(run.error), icon=":material/error:")
    tail = _whole(run) if whole else session.workspace().runs.logs(run.id, line_limit=limit)
    runs_triage.show(run, tail)
    _errors(tail)
    lines = matching(tail.text, text or "")
    st.caption(stated(tail, shown=len(lines) if text else None))
    if len(lines) > SHOWN:
        st.caption(f"The last {SHOWN:,} of them are shown; the download has all.")
        lines = lines[-SHOWN:]
    # The container scrolls, not the code inside: it holds the copy button, so the keyboard
    # reaches it.
    with st.container(
        height=HEIGHT if len(lines) > TALL else "content",
        border=False,
        autoscroll=not run.status.settled,
        key="runs.log",
    ):
        st.code(
            "\n".join(lines) or ("No line matches." if text else "Nothing written yet."),
            language=None,
            wrap_lines=True,
        )
    with download:
        st.download_button(
            "Download",
            tail.text.encode() if not whole else _bytes(run),
            file_name=f"{run.id}.log",
            mime="text/plain",
            key="runs.log-download",
            icon=":material/download:",
            on_click="ignore",
            disabled=not tail.text,
            help="What was read: see the line below for how much of the log that is",
        )


def _errors(tail: LogTail) -> None:
    """What speaks of an error, in front of everything else."""
    found = triage.error_lines(tail.text)
    if not found:
        return
    shown = found[-ERRORS:]
    with st.expander(
        f"{formats.plural(len(found), 'error line')}"
        + (f", the last {ERRORS} shown" if len(found) > ERRORS else "")
        + ("" if tail.complete else ", numbered from the first line read"),
        icon=":material/error:",
        expanded=True,
    ):
        width = len(str(shown[-1][0]))
        text = "\n".join(f"{number:>{width}}  {line}" for number, line in shown)
        st.code(text, language=None, wrap_lines=True)


def _whole(run: Run) -> LogTail:
    """Every line of the main log: its file, where the run keeps one."""
    text = _bytes(run).decode("utf-8", "replace")
    count = len(text.splitlines())
    return LogTail(text=text, line_count=count, limit=count, complete=True)


def _bytes(run: Run) -> bytes:
    runs = session.workspace().runs
    path = main_log(runs.files(run.id))
    if path is None:
        return runs.logs(run.id, line_limit=LIMITS[-1]).text.encode()
    return reads.run_file(run.id, path) if run.status.settled else runs.file(run.id, path)


def main_log(files: Sequence[str]) -> str | None:
    """Which of a run's files is the log that `logs` reads the end of, by Azure's names."""
    return next((path for name in MAIN_LOGS for path in files if path.endswith(name)), None)


def matching(log: str, text: str) -> list[str]:
    """The lines that contain the text, whatever its case; every line without one."""
    needle = text.casefold()
    return [line for line in log.splitlines() if needle in line.casefold()]


def stated(tail: LogTail, *, shown: int | None) -> str:
    """How much of the log is here, in words."""
    found = "" if shown is None else f"{formats.plural(shown, 'line')} found in "
    size = formats.plural(tail.line_count, "line")
    if tail.complete:
        return f"{found}{'the' if found else 'The'} whole log, {size}."
    last = f"{'the' if found else 'The'} last {size}"
    return f"{found}{last} only; the log is longer. “Whole log” reads the rest."


def _label(child: Run) -> str:
    failed = f" · {child.status.value}" if child.error else ""
    return f"{child.number} {child.display_name}{failed}"
