"""Text to columns of text: delimiters, quotes, and the line where a file goes wrong."""

from __future__ import annotations

import csv
import io
from array import array
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from services.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

DELIMITERS = ("\t", ";", "|", ",")  # a tie goes to the earlier: commas also occur in contents
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

CHUNK_ROWS = 20_000
BLOCK_BYTES = 16 * 1024**2
COLUMN_LIMIT = 2_000
SAMPLE_CHARACTERS = 200_000
SAMPLE_RECORDS = 200


@dataclass(frozen=True, slots=True)
class TextColumns:
    """A table whose every value is still text, as the file spells it."""

    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    _text: str
    _lines: array[int] | None = None  # where each row starts; None while each is one line

    def line(self, row: int) -> int:
        """The line of the file, from 1, on which a row, from 0, starts."""
        if self._lines is not None:
            return self._lines[row]
        lines = enumerate(io.StringIO(self._text, newline=""), 1)
        filled = (number for number, line in lines if line.strip("\r\n"))
        return next(islice(filled, row + 1, None))  # the first is the header


def find_delimiter(text: str) -> str:
    """The delimiter that cuts the first records into the most regular columns."""
    best = max(DELIMITERS, key=lambda each: _regularity(text, each))
    return best if _regularity(text, best)[1] > 1 else ","


def check_delimiter(text: str, delimiter: str) -> None:
    """Refuse a stated delimiter that separates nothing where another one would.

    Raises:
        InvalidRequestError: it is not one of ours, or `text` is not written with it.
    """
    if delimiter not in DELIMITERS:
        raise InvalidRequestError("The delimiter is a comma, a semicolon, a tab or a bar.")
    if _regularity(text, delimiter)[1] > 1:
        return
    other = find_delimiter(text)
    share, width = _regularity(text, other)
    if width > 1 and share > 0.5:
        raise InvalidRequestError(
            f"Line 1 has no {NAMES[delimiter]} in it; a {NAMES[other]} would give {width} columns."
        )


def read_columns(text: str, delimiter: str) -> TextColumns:
    """Every record of the file. Blank lines are skipped.

    Raises:
        InvalidRequestError: the line, and why it cannot be read.
    """
    import pyarrow as pa  # a fifth of a second to import

    records = _records(text, delimiter)
    header_line, header = next(records, (1, []))
    names = _header(header_line, header)
    if '"' not in text and (columns := _unquoted(text, delimiter, names, header_line)):
        return TextColumns(names, columns, text)
    lines, chunks = array("L"), []
    while rows := list(islice(records, CHUNK_ROWS)):
        for line, row in rows:
            if len(row) != len(names):
                raise _wrong_width(line, row, names, delimiter)
            lines.append(line)
        cells = zip(*(row for _, row in rows), strict=True)
        chunks.append([pa.array(column, pa.string()) for column in cells])
    if not chunks:
        raise InvalidRequestError("The file has column names but no rows.")
    columns = tuple(pa.chunked_array(parts, pa.string()) for parts in zip(*chunks, strict=True))
    return TextColumns(names, columns, text, lines)


def _unquoted(
    text: str, delimiter: str, names: Sequence[str], header_line: int
) -> tuple[pa.ChunkedArray, ...]:
    """The same several times faster, for text without quotation marks.

    Empty when anything is wrong with the file: the careful way then says what and where.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow

    rest = io.StringIO(text, newline="")
    for _ in range(header_line):
        rest.readline()
    try:
        table = arrow.read_csv(
            pa.BufferReader(rest.read().encode()),
            arrow.ReadOptions(column_names=list(names), block_size=BLOCK_BYTES),
            arrow.ParseOptions(delimiter=delimiter, quote_char=False),
            arrow.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return ()
    longest = max(pc.max(pc.utf8_length(each)).as_py() or 0 for each in table.columns)
    good = table.num_rows > 0 and longest <= csv.field_size_limit()
    return tuple(table.columns) if good else ()


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidRequestError(f"Line {line}: {_reason(error)}") from error


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quotation mark is opened there and never closed."
    if "expected after" in text:
        return "text follows a closing quotation mark; a quotation mark inside is written twice."
    if "field larger" in text:
        return f"one value has more than {csv.field_size_limit():,} characters."
    return f"{text}."


def _header(line: int, names: Sequence[str]) -> tuple[str, ...]:
    cleaned = tuple(name.strip() for name in names)
    if not any(cleaned):
        raise InvalidRequestError("The file is empty: it has no line of column names.")
    if len(cleaned) > COLUMN_LIMIT:
        raise InvalidRequestError(
            f"Line {line} names {len(cleaned):,} columns; {COLUMN_LIMIT:,} are accepted."
        )
    for position, name in enumerate(cleaned, 1):
        if not name:
            raise InvalidRequestError(f"Line {line}: column {position} has no name.")
    name, count = Counter(cleaned).most_common(1)[0]
    if count > 1:
        raise InvalidRequestError(f"Line {line} names the column “{name}” {count} times.")
    if all(_is_number(name) for name in cleaned):
        raise InvalidRequestError(f"Line {line} holds numbers where column names belong.")
    return cleaned


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _wrong_width(
    line: int, row: Sequence[str], names: Sequence[str], delimiter: str
) -> InvalidRequestError:
    shown = delimiter.join(row)
    shown = shown if len(shown) <= 80 else shown[:79] + "…"
    return InvalidRequestError(
        f"Line {line} has {_count(len(row), 'value')} where the first line names "
        f"{_count(len(names), 'column')} (separated by {NAMES[delimiter]}): {shown}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _regularity(text: str, delimiter: str) -> tuple[float, int]:
    """Which share of the first records is as wide as the header, and how wide that is."""
    sample = text[:SAMPLE_CHARACTERS]
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    widths = []
    try:
        widths = [len(record) for record in islice(reader, SAMPLE_RECORDS) if record]
    except csv.Error:
        return 0.0, 1
    if len(sample) < len(text) and len(widths) > 1:
        widths.pop()  # possibly cut in the middle
    if not widths or widths[0] == 1:
        return 0.0, 1
    rows = widths[1:]
    share = sum(width == widths[0] for width in rows) / len(rows) if rows else 1.0
    return round(share, 2), widths[0]
