"""What the answers of a load test said, read from the log ``ab -v 2`` keeps while it runs.

``ab`` judges a request by its connection and its status. Whether a 200 holds a result or
an error message is seen here, from the header of each answer, from its body where ``ab``
prints it, and otherwise from the body's length, since every request has the same payload.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Mapping

from services import percentiles
from services.domain import AnswerTally
from services.load_test_stop import FailureWatch
from services.scoring import understand

ANSWER = b"LOG: header received:"
REPORT = re.compile(rb"\nServer Software:")
RUN_RANKS = (50, 95, 99, 100)
# Lines of a header; a report that went through a text editor may have an empty one after each.
_HEAD = re.compile(rb"\s*HTTP/[^\n]*(?:\n{1,2}[\w-]+:[^\n]*)*")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")
_LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)
_RUN_MS = re.compile(rb"\nx-ms-run-fn-exec-ms: *([\d.]+)", re.IGNORECASE)
_RUN_FAILED = re.compile(rb"\nx-ms-run-function-failed: *true", re.IGNORECASE)
_AFTERWORD = re.compile(
    rb"(?:\n(?:LOG: Response code = \d+|WARNING: Response code not 2xx \(\d+\)|\.\.done"
    rb"|Total of \d+ requests completed))*\s*\Z"
)
_REQUEST = re.compile(r"INFO: \w+ header ==.*?(?:\n---\n.*?(?:\n---(?:\n|\Z)|\Z)|\Z)", re.DOTALL)
_SECRET = re.compile(r"(?im)^((?:proxy-)?authorization|cookie|[\w-]*(?:key|token)):.*$")


class AnswerReader:
    """Reads a log piece by piece, counts its answers, and keeps only the report.

    The request that ``ab`` prints before the first answer, with its credential, is dropped.
    """

    def __init__(
        self, lengths: Mapping[int, bool] | None = None, *, watch: FailureWatch | None = None
    ) -> None:
        """Start before the first byte.

        Args:
            watch: told of each answer.
            lengths: body length in bytes of a checked answer to the same payload → whether
                that answer was an error. Empty when nothing was checked.
        """
        self._lengths = dict(lengths or {})
        self._watch = watch or FailureWatch(None)
        self._pending = b""
        self._preamble: bytes | None = None
        self._report = b""
        self._codes: Counter[str] = Counter()
        self._bodies: dict[bytes, bool] = {}
        self._run_ms = array("d")
        self._semantic_count = 0
        self._unlike_count = 0
        self.judged = bool(self._lengths)

    @property
    def count(self) -> int:
        """Answers read so far."""
        return sum(self._codes.values())

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the log; an answer counts once the next one begins."""
        if self._report:
            self._report += chunk
            return
        self._pending += chunk
        *whole, self._pending = self._pending.split(ANSWER)
        self._take(whole)
        if report := REPORT.search(self._pending):
            self._take([self._pending[: report.start()]])
            self._report, self._pending = self._pending[report.start() :], b""

    def finish(self) -> None:
        """Count the last answer of a log that ended without a report."""
        if self._preamble is not None and not self._report:
            self._take([self._pending])
            self._pending = b""

    def report(self) -> str:
        """What ``ab`` printed around its log, without the request and without secrets."""
        text = (self._preamble or self._pending) + self._report
        return _SECRET.sub(r"\1: (removed)", _REQUEST.sub("", _plain(text)))

    def tally(self) -> AnswerTally:
        measured = percentiles.percentiles(self._run_ms, RUN_RANKS)
        return AnswerTally(
            result_codes=dict(sorted(self._codes.items())),
            semantic_failure_count=self._semantic_count,
            unlike_count=self._unlike_count,
            run_percentiles_ms={int(rank): value for rank, value in measured.items()},
        )

    def _take(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            if self._preamble is None:
                self._preamble = piece
            else:
                self._answer(piece.replace(b"\r", b""))

    def _answer(self, piece: bytes) -> None:
        found = _HEAD.match(piece)
        if found is None or b"\n\n" not in piece:
            return  # a header that came in two parts: ab prints it again when it is whole
        head, rest = found[0], piece[found.end() :].lstrip(b"\n")
        status = _STATUS.search(head)
        if status is None:
            return
        code = status[1].decode()
        self._codes[code] += 1
        if took := _RUN_MS.search(head):
            self._run_ms.append(float(took[1]))
        if not code.startswith("2"):
            self._watch.note(True, f"status {code}")
            return
        before = self._semantic_count
        self._judge(head, _AFTERWORD.sub(b"", rest))
        self._watch.note(self._semantic_count > before, f"an error inside a {code}")

    def _judge(self, head: bytes, body: bytes) -> None:
        length = _LENGTH.search(head)
        size = int(length[1]) if length else len(body)
        if _RUN_FAILED.search(head):
            self._semantic_count += 1
        elif body and len(body) == size:
            self.judged = True
            self._semantic_count += self._is_error(body)
        elif size in self._lengths:
            self._semantic_count += self._lengths[size]
        elif self._lengths:
            self._unlike_count += 1

    def _is_error(self, body: bytes) -> bool:
        if body not in self._bodies:
            if len(self._bodies) > 1000:  # answers that all differ, such as with a time inside
                self._bodies.clear()
            self._bodies[body] = bool(understand(200, body.decode("utf-8", "replace")).error)
        return self._bodies[body]


def _plain(text: bytes) -> str:
    return text.replace(b"\r", b"").decode("utf-8", "replace")
