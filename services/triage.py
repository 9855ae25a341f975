"""Why a run failed, as far as its log tells: a table of rules, and unknown where none fits (pure).

The last line that fits a rule decides, since what a program says last is nearest to its end;
what it merely warned of is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

TAIL_LINES = 12
DECIDING_LINES = 1_000  # from the end; what was said before that did not end the run
LINE_LIMIT = 400  # characters of the deciding line that are shown


class Cause(StrEnum):
    DEPENDENCY = "dependency"
    DATA = "data"
    QUOTA = "quota"
    TIMEOUT = "timeout"
    CODE = "code"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    cause: Cause
    pattern: re.Pattern[str]
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What a failure was found to be."""

    cause: Cause
    line: str  # the deciding one; empty when unknown
    line_number: int | None  # in the log, from 1; None where the run's own reason decided
    advice: str
    tail: str  # the end of the log, for what no rule knows


def _rule(cause: Cause, advice: str, *patterns: str) -> Rule:
    return Rule(cause, re.compile("|".join(patterns), re.IGNORECASE), advice)


RULES = (
    _rule(
        Cause.DEPENDENCY,
        "Compare the environment with the one it last worked in, and pin what differs.",
        r"\bModuleNotFoundError\b",
        r"\bImportError\b",
        r"No matching distribution found",
        r"ResolvePackageNotFound|ResolutionImpossible|PackagesNotFoundError",
        r"Could not find a version that satisfies",
        r"conflicting dependencies|pip._vendor|\bDistributionNotFound\b|VersionConflict",
        r"image (?:build|pull) (?:failed|error)|failed to (?:build|pull) (?:the )?image",
        r"cannot open shared object file|GLIBC\w* not found",
    ),
    _rule(
        Cause.QUOTA,
        "Give it more memory, disk or cores, free what others hold, or ask for a larger quota.",
        r"quota ?(?:has been )?exceeded|exceed\w* (?:the )?(?:approved |core )?quota|QuotaExceeded",
        r"not enough (?:cores|nodes|quota)|insufficient (?:cores|capacity|memory|quota)",
        r"OutOfCapacity|AllocationFailed|SkuNotAvailable",
        r"\bMemoryError\b|out of memory|\bOOM\b|OOMKilled",
        r"cannot allocate memory|Unable to allocate",
        r"^Killed$|exit(?:ed with)? code:? 137|signal 9|SIGKILL",
        r"No space left on device|disk (?:is )?full",
    ),
    _rule(
        Cause.TIMEOUT,
        "Allow more time, or give it less to do; if it waited for a service, look at that first.",
        r"\b\w*TimeoutError\b|\bTimeoutException\b|ReadTimeout|ConnectTimeout",
        r"\btimed[ -]out\b|timeout (?:reached|exceeded|expired|of)|reached (?:its|the) timeout",
        r"DeadlineExceeded",
        r"exceeded (?:the )?(?:maximum|max|allowed) (?:run|execution)?\s?(?:time|duration)",
        r"No candidate could be fitted.*allow more than",
        r"max_run_duration|ExperimentTimeout",
    ),
    _rule(
        Cause.DATA,
        "Look at the dataset version it was given: its columns, types, gaps and number of rows.",
        r"could not convert string to (?:float|int)|invalid literal for",
        r"KeyError: .*(?:not in index|column)",
        r"columns? .*(?:not found|missing|is missing|do(?:es)? not)",
        r"label column|UserErrorException.*(?:data|column)|DataException|DataErrorException",
        r"\bParserError\b|Error tokenizing data|UnicodeDecodeError|EmptyDataError|ArrowInvalid",
        r"Input (?:X |y )?contains (?:NaN|infinity)|inconsistent numbers of samples",
        r"FileNotFoundError.*\.(?:csv|parquet|tsv|json)",
        r"(?:dataset|datastore)\b.*(?:not found|gone)",
        r"AutoML needs at least|Every row has the same|least populated class",
        r"StreamAccessException|DatasetExecutionError|ResourceNotFound.*blob",
    ),
    _rule(
        Cause.CODE,
        "Read the traceback around this line: the script itself is wrong for what it was given.",
        r"\b(?:SyntaxError|IndentationError|NameError|UnboundLocalError|AttributeError|TypeError)\b",
        r"\b(?:AssertionError|ZeroDivisionError|IndexError|RecursionError|NotImplementedError)\b",
        r"\bKeyError\b",
        r"unrecognized arguments|the following arguments are required",
    ),
)
_PASSED_OVER = re.compile(r"\b(?:WARN(?:ING)?|INFO|DEBUG)\b")
_PREFIX = 60  # characters in which a level stands
UNKNOWN_ADVICE = "No rule knows this failure. The end of its log is below."


def triage(error: str, log: str) -> Triage:
    """What made a run fail, by its own reason and its log."""
    tail = "\n".join(log.splitlines()[-TAIL_LINES:])
    for number, line in _candidates(error, log):
        for rule in RULES:
            if rule.pattern.search(line):
                return Triage(
                    cause=rule.cause,
                    line=line.strip()[:LINE_LIMIT],
                    line_number=number,
                    advice=rule.advice,
                    tail=tail,
                )
    return Triage(cause=Cause.UNKNOWN, line="", line_number=None, advice=UNKNOWN_ADVICE, tail=tail)


def _candidates(error: str, log: str) -> Iterator[tuple[int | None, str]]:
    """The log from its end, then the run's own reason, which often only repeats that it failed."""
    lines = log.splitlines()
    for number in range(len(lines), max(0, len(lines) - DECIDING_LINES), -1):
        if not _PASSED_OVER.search(lines[number - 1][:_PREFIX]):
            yield number, lines[number - 1]
    if error:
        yield None, error


_ERROR = re.compile(
    r"\b(?:ERROR|CRITICAL|FATAL)\b|^Traceback|\b\w+(?:Error|Exception)\b|^Killed$|\bfailed\b",
)
_HINTS = ("ERROR", "CRITICAL", "FATAL", "Traceback", "Error", "Exception", "Killed", "failed")


def error_lines(log: str) -> tuple[tuple[int, str], ...]:
    """The lines that speak of an error, with their number in the log, from 1."""
    return tuple(
        (number, line)
        for number, line in enumerate(log.splitlines(), start=1)
        if any(hint in line for hint in _HINTS)  # most lines are done with here
        and _ERROR.search(line)
        and not _PASSED_OVER.search(line[:_PREFIX])
    )
