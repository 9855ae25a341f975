"""What a load test sends and for how long; one button starts it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formats, reads, scoring_draft, session
from dashboard.components import (
    confirm,
    deployment_elsewhere,
    deployment_picker,
    failures,
    migration_code,
)
from services import apache_bench, load_test_rules, scoring_payload
from services.domain import Deployment, LoadTestPlan
from services.errors import NotFoundError

REQUESTS, SECONDS = "Requests", "Seconds"
PAYLOAD = "benchmark.payload"  # session state: the JSON to send; other pages may set it
CREDENTIAL_NOTE = (
    "ab takes its key as an argument, which other users of this machine can see while it runs. "
    "It is given a key of its own that is revoked when the run ends, never the deployment's."
)
RELAY_NOTE = (
    "ab takes its key as an argument, which other users of this machine can see while it runs. "
    "It talks to a relay on this machine instead, which alone knows the deployment's key, adds it "
    "to each request and says in the result how long that took. Requests to ACI and AKS are load "
    "on what you pay for."
)


def show(deployments: Sequence[Deployment]) -> Deployment | None:
    """Draw the form and return its deployment, if one is chosen. A started test is put into
    the address.

    `deployments` is not empty.
    """
    with st.container(border=True, key="benchmark-form"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("**New load test**", width="stretch")
            shown = st.container(width="content")
        _take_filled(deployments)
        target = deployment_picker.choose(deployments)
        if target is None:
            st.caption("Choose the deployment to load.")
            return None
        plan = _plan(target)
        with shown:
            migration_code.popover(
                "deployment.benchmark",
                name=target.name,
                requests=plan.requests,
                at_once=plan.concurrency,
            )
        with failures.reported():
            confirmed = _asked_for(plan, target)
            if confirmed is not None:
                try:
                    test = session.workspace().load_tests.begin(plan, confirmed=confirmed)
                finally:
                    reads.clear()  # a refusal may tell of a test that another tab has begun
                open_test(test.id)
                st.rerun()
        if target.auth_enabled:
            st.caption(
                f":material/key: {RELAY_NOTE if deployment_elsewhere.away() else CREDENTIAL_NOTE}"
            )
    return target


def _asked_for(plan: LoadTestPlan, target: Deployment) -> str | None:
    """What was typed to confirm the test, empty where that is not needed; None: not asked for."""
    disabled = not plan.payload.strip()
    if target.scoring_uri is None or load_test_rules.loopback(target.scoring_uri):
        pressed = st.button(
            "Run load test", key="benchmark.run", type="primary",
            icon=":material/play_arrow:", width="stretch", disabled=disabled,
        )  # fmt: skip
        return "" if pressed else None
    agreed = confirm.show(
        "Run load test…",
        key="benchmark.run",
        question=f"Load {formats.plain(target.name)}?",
        consequence=(
            f"{_amount(plan)} leave this machine for {formats.plain(target.scoring_uri)}. Its "
            "other callers may wait meanwhile, and you may pay for it."
        ),
        verb="Run load test",
        typed=target.name,
        icon=":material/play_arrow:",
        disabled=disabled,
    )
    return target.name if agreed else None


def _amount(plan: LoadTestPlan) -> str:
    if plan.requests is not None:
        return formats.plural(plan.requests, "request")
    return f"As many requests as {formats.plural(plan.seconds or 0, 'second')} and the budget allow"


def open_test(load_test_id: str) -> None:
    """Make the address ask for this load test; the next rerun shows it."""
    st.query_params["load_test"] = load_test_id


def _plan(target: Deployment) -> LoadTestPlan:
    limit = st.segmented_control(
        "Limited by", (REQUESTS, SECONDS), default=REQUESTS, key="benchmark.limit", required=True
    )
    amount, concurrency = st.columns(2, gap="small")
    requests, seconds = None, None
    if limit == SECONDS:
        seconds = amount.number_input(
            "Seconds", 1, apache_bench.SECONDS_LIMIT, 10, key="benchmark.seconds"
        )
    else:
        requests = amount.number_input(
            "Requests", 1, apache_bench.REQUEST_LIMIT, 400, step=100, key="benchmark.requests",
            help="p95 needs at least 59 requests, p99 at least 299",
        )  # fmt: skip
    at_once = concurrency.number_input(
        "At a time", 1, apache_bench.CONCURRENCY_LIMIT, 4, key="benchmark.concurrency",
        help="How many requests are under way at once",
    )  # fmt: skip
    timeout, kept = st.columns(2, gap="small", vertical_alignment="bottom")
    timeout_s = timeout.number_input(
        "Give up after (s)", 1, apache_bench.TIMEOUT_LIMIT_S, 60, key="benchmark.timeout",
        help="Without any answer for this long, the test ends",
    )  # fmt: skip
    keep_alive = kept.toggle(
        "Keep-alive", key="benchmark.keep_alive", help="Several requests over one connection"
    )
    return LoadTestPlan(
        deployment=target.name,
        payload=_payload(target),
        requests=requests,
        seconds=seconds,
        concurrency=at_once,
        keep_alive=keep_alive,
        timeout_s=timeout_s,
    )


def _payload(target: Deployment) -> str:
    """The JSON every request sends: a typical row, until the operator writes another."""
    if PAYLOAD not in st.session_state or st.session_state.get(_OF) != target.name:
        if st.session_state.get(_OF) is not None or PAYLOAD not in st.session_state:
            st.session_state[PAYLOAD] = _typical(target.name)
        st.session_state[_OF] = target.name
    with st.expander("Payload", icon=":material/data_object:", key="benchmark.payload_open"):
        st.text_area(
            "JSON body of every request", key=PAYLOAD, height=190, label_visibility="collapsed"
        )
        st.button(
            "Typical row", key="benchmark.typical", icon=":material/restart_alt:", type="tertiary",
            on_click=_reset, args=(target.name,),
            help="A row of typical values from the data contract",
        )  # fmt: skip
    text = str(st.session_state.get(PAYLOAD, ""))
    if not text.strip():
        st.caption(
            ":material/info: Nothing is known about the rows this deployment takes; "
            "open Payload and paste a JSON body."
        )
    else:
        st.caption(f"Payload: {formats.size(len(text.encode()))} of JSON")
    return text


_OF = "benchmark.payload_of"
FROM_LIVE_SCORING = {"payload": "live-scoring"}  # of an address: take the payload edited there


def _take_filled(deployments: Sequence[Deployment]) -> None:
    """What another page's link asks for, before the widgets it concerns are drawn. Once."""
    (name, value), *_ = FROM_LIVE_SCORING.items()
    if st.query_params.get(name) != value:
        return
    del st.query_params[name]
    if (draft := scoring_draft.current_or_none()) is not None:
        st.session_state[PAYLOAD] = draft.text()
        st.session_state[_OF] = st.query_params.get("deployment") or deployments[0].name


def _reset(deployment: str) -> None:
    st.session_state[PAYLOAD] = _typical(deployment)


def _typical(deployment: str) -> str:
    try:
        contract = reads.scoring_contract(deployment)
    except NotFoundError:
        return ""
    return scoring_payload.typical(contract).text()
