"""What is wrong with a deployment, in plain words: a table of rules, else unknown (pure).

Reads what the back end, the last probe and the log say, never a guess beyond them. The cards
stand in the order of the rules: what explains the others comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from services import triage

READ_LINES = 1_000  # from the end of the log
LINE_LIMIT = 400  # characters of the deciding line that are shown
MOST = 3  # cards


class Trouble(StrEnum):
    OUT_OF_MEMORY = "out of memory"
    SCRIPT = "scoring script cannot start"
    MODEL = "model cannot be loaded"
    IMAGE = "image cannot be pulled"
    CAPACITY = "no room to start it"
    CRASH_LOOP = "crash loop"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    TIMEOUT = "timeout"
    REFUSED = "connection refused"
    STUCK = "stuck transition"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptoms:
    """What is known of a deployment that may not be well."""

    error: str = ""  # of the back end
    probe: str = ""  # why the last probe failed
    log: str = ""
    unwell: bool = False  # Unhealthy or Failed
    stuck: bool = False  # in transition for longer than usual

    @property
    def any(self) -> bool:
        return self.unwell or self.stuck or bool(self.probe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One card."""

    trouble: Trouble
    title: str
    cause: str
    next_step: str
    line: str = ""  # the deciding one; empty when nothing in the log decided
    line_number: int | None = None  # in the log, from 1; None: not from the log


@dataclass(frozen=True, slots=True)
class Rule:
    trouble: Trouble
    title: str
    cause: str
    next_step: str
    said: re.Pattern[str]


def _rule(trouble: Trouble, title: str, cause: str, next_step: str, *patterns: str) -> Rule:
    return Rule(trouble, title, cause, next_step, re.compile("|".join(patterns), re.IGNORECASE))


def _status(code: int, phrase: str) -> str:
    """A status where a sentence or an access log gives one: no port, size or duration."""
    return (
        rf"\({code}\)|answered {code}\b|/score {code}\b|\bHTTP(?:/\d(?:\.\d)?\"?)? {code}\b"
        rf"|status(?: code)?:? {code}\b|\b{code} {phrase}\b"
    )


# Source: learn.microsoft.com, "Troubleshoot remote model deployment" (v1) for what each status
# of a web service means; Kubernetes documentation, container states, for the reasons.
RULES = (
    _rule(
        Trouble.OUT_OF_MEMORY,
        "Its server runs out of memory",
        "The server was killed because it needed more memory than it was given.",
        "Deploy it with more memory, or score fewer rows in one request.",
        r"OOMKilled|out of memory|\bMemoryError\b|Unable to allocate|cannot allocate memory",
        r"exit(?:ed)?(?: with)?(?: code)?:? 137\b|^Killed$|SIGKILL|signal 9\b",
    ),
    _rule(
        Trouble.SCRIPT,
        "The scoring script cannot start",
        "A package the scoring script imports is not in its environment.",
        "Add the package to the environment, pinned, and deploy again.",
        r"\bModuleNotFoundError\b|\bImportError\b",
    ),
    _rule(
        Trouble.MODEL,
        "The model cannot be loaded",
        "The scoring script did not find the model's file, or could not read it.",
        "Check the path in init() and that the model was saved with the same package versions.",
        r"\bUnpicklingError\b|ModelNotFound|Model(?:'s)? (?:file|path) .*not (?:found|exist)",
        r"FileNotFoundError.*(?:model|azureml-models)|model\.pkl.*(?:not found|No such file)",
        r"Can't get attribute .* on <module",
    ),
    _rule(
        Trouble.IMAGE,
        "Its image cannot be pulled",
        "The container registry did not hand out the image.",
        "Check that the registry is reachable and its admin account or role is in place.",
        r"ImagePullBackOff|ErrImagePull|InaccessibleImage|failed to pull image",
    ),
    _rule(
        Trouble.CAPACITY,
        "There is no room to start it",
        "The cluster or the region has too few cores or too little memory left for it.",
        "Ask for fewer cores, delete what is not used, or scale the cluster out.",
        r"Unschedulable|Insufficient (?:cpu|memory)|ServiceUnavailable.*region|QuotaExceeded",
        r"not enough (?:cores|resources|nodes)|No space left on device",
    ),
    _rule(
        Trouble.CRASH_LOOP,
        "Its server keeps crashing",
        "The server starts, ends by itself and is started again, over and over.",
        "Read the error before its last end in the log; it is most often in the script's init().",
        r"CrashLoopBackOff|Back-off restarting|server ended \d+ times|Worker failed to boot",
        r"is being started again|server ended and is starting again",
        r"container .*(?:crashed|terminated)|ContainerCrashed",
    ),
    _rule(
        Trouble.GATEWAY_TIMEOUT,
        "504: it answers too slowly",
        "A request took longer than the gateway waits; AKS waits 60 s unless told otherwise.",
        "Send fewer rows at once, or raise scoring_timeout_ms if the script needs the time.",
        _status(504, "Gateway Time-?out"),
        r"upstream (?:request )?timed? ?out|upstream request timeout",
    ),
    _rule(
        Trouble.UNAVAILABLE,
        "503: nobody was free to answer",
        "More requests came than its replicas take, or none of them was ready yet.",
        "Slow the callers down and try again; on AKS raise the replicas or lower the "
        "autoscale target.",
        _status(503, "Service (?:Temporarily )?Unavailable"),
        r"no healthy upstream|Too many requests in (?:the )?queue",
    ),
    _rule(
        Trouble.BAD_GATEWAY,
        "502: the scoring script failed on a request",
        "The server broke off while it answered: run() raised, or the process ended.",
        "Send the same request from Live scoring and read the traceback in the log.",
        _status(502, "Bad Gateway"),
        r"upstream prematurely closed|connection reset by peer|closed the connection before",
    ),
    _rule(
        Trouble.TIMEOUT,
        "It did not answer in time",
        "The request was taken and no answer came within the time that was allowed.",
        "Look at the slowest requests in App Insights metrics, then give it more cores or time.",
        r"did not answer within|WORKER TIMEOUT|\b(?:Read|Connect)?Timeout(?:Error)?\b",
        r"\btimed out\b",
        r"does not answer its health check|was not (?:ready|started) within|DeadlineExceeded",
    ),
    _rule(
        Trouble.REFUSED,
        "Nothing listens at its address",
        "The connection was refused: its server is not running.",
        "Look at its state; update it to the same model version to start it again.",
        r"refused the connection|Connection refused|no supervisor is running",
    ),
)
STUCK = Diagnosis(
    trouble=Trouble.STUCK,
    title="The transition takes longer than usual",
    cause="It passed the 95th percentile of its earlier passages and nothing says why.",
    next_step="Look at the end of its log. If that no longer moves, update it to the same model "
    "version, or delete it and deploy it again.",
)
UNKNOWN = Diagnosis(
    trouble=Trouble.UNKNOWN,
    title="The cause is not known",
    cause="Neither the back end, the probe nor the log says anything a rule knows.",
    next_step="Read the end of its log, and the exceptions in App Insights metrics.",
)


def diagnose(symptoms: Symptoms) -> tuple[Diagnosis, ...]:
    """The cards of a deployment; none while nothing is wrong with it."""
    if not symptoms.any:
        return ()
    lines = tuple(_lines(symptoms.log))
    sentences = [each for each in (symptoms.error, symptoms.probe) if each]
    found: list[Diagnosis] = []
    for rule in RULES:
        card = _card(rule, sentences, lines)
        if card is not None and all(card.line != each.line for each in found):
            found.append(card)  # a line decides once, for the first rule it fits
    if symptoms.stuck:
        found.append(STUCK)
    if found:
        return tuple(found[:MOST])
    last = next(reversed(triage.error_lines(symptoms.log)), None)
    if last is None:
        return (UNKNOWN,)
    return (_with_line(UNKNOWN, last[1], last[0]),)


def _lines(log: str) -> Iterator[tuple[int, str]]:
    """The end of the log, newest line first."""
    lines = log.splitlines()
    for number in range(len(lines), max(0, len(lines) - READ_LINES), -1):
        yield number, lines[number - 1]


def _card(rule: Rule, sentences: list[str], lines: tuple[tuple[int, str], ...]) -> Diagnosis | None:
    card = Diagnosis(
        trouble=rule.trouble, title=rule.title, cause=rule.cause, next_step=rule.next_step
    )
    for number, line in lines:
        if rule.said.search(line):
            return _with_line(card, line, number)
    for sentence in sentences:
        if rule.said.search(sentence):
            return _with_line(card, sentence, None)
    return None


def _with_line(card: Diagnosis, line: str, number: int | None) -> Diagnosis:
    return Diagnosis(
        trouble=card.trouble,
        title=card.title,
        cause=card.cause,
        next_step=card.next_step,
        line=line.strip()[:LINE_LIMIT],
        line_number=number,
    )
