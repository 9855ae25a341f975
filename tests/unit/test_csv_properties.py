"""Any table survives any dialect, and no bytes break the reader."""

from __future__ import annotations

import csv
import io
import math
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from services import tabular
from services.errors import InvalidRequestError
from services.tabular import records

# Text that no type could claim: it starts with a letter that begins no word for "missing" or
# "true", and holds everything a quote has to protect.
WORDS = st.text(st.sampled_from(" ,;|\t\"'\n.-éßñ€aZ09"), max_size=12).map(lambda text: f"w{text}")
LINES = WORDS.map(lambda text: text.replace("\n", "\r\n"))
NAME = st.text(st.sampled_from("abcdé _-."), min_size=1, max_size=6)
NAMES = st.lists(
    NAME.map(lambda text: f"c{text.strip()}"),
    min_size=2,
    max_size=5,
    unique=True,
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda each: each + 0.5)


@st.composite
def tables(draw, values):
    names = draw(NAMES)
    count = draw(st.integers(1, 8))
    row = st.tuples(*[values] * len(names))
    return names, draw(st.lists(row, min_size=count, max_size=count))


def written(names, rows, delimiter, line_end, quoting) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue()


DELIMITERS = st.sampled_from([",", ";", "\t", "|"])
LINE_ENDS = st.sampled_from(["\n", "\r\n"])
QUOTINGS = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])


@settings(deadline=None)
@given(tables(WORDS), DELIMITERS, LINE_ENDS, QUOTINGS)
def test_words_survive_every_delimiter_and_quoting(table, delimiter, line_end, quoting):
    names, rows = table
    text = written(names, rows, delimiter, line_end, quoting)

    reading = tabular.read(text.encode(), delimiter=delimiter)

    assert reading.table.column_names == names
    assert list(zip(*reading.table.to_pydict().values(), strict=True)) == rows


@settings(deadline=None)
@given(tables(LINES), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_words_survive_every_encoding(table, codec):
    names, rows = table
    content = written(names, rows, ";", "\n", csv.QUOTE_ALL).encode(codec)

    found = tabular.read(content, delimiter=";").table

    assert list(zip(*found.to_pydict().values(), strict=True)) == rows


@settings(deadline=None)
@given(tables(NUMBERS), st.sampled_from([";", "\t", "|"]), st.sampled_from([".", ","]))
def test_numbers_survive_both_decimal_signs(table, delimiter, sign):
    names, rows = table
    cells = [[repr(value).replace(".", sign) for value in row] for row in rows]
    text = written(names, cells, delimiter, "\n", csv.QUOTE_MINIMAL)

    reading = tabular.read(text.encode(), delimiter=delimiter, decimal=sign)

    for row, values in zip(
        zip(*reading.table.to_pydict().values(), strict=True), rows, strict=True
    ):
        assert all(math.isclose(*pair, rel_tol=1e-15) for pair in zip(row, values, strict=True))


@settings(deadline=None)
@given(tables(st.integers(-(2**63), 2**63 - 1) | st.none()), DELIMITERS)
def test_whole_numbers_and_gaps_survive(table, delimiter):
    names, rows = table
    text = written(names, rows, delimiter, "\n", csv.QUOTE_MINIMAL)

    found = tabular.read(text.encode(), delimiter=delimiter).table

    assert list(zip(*found.to_pydict().values(), strict=True)) == rows


PLAIN = st.text(st.sampled_from("ab1. -é'\r\n\t;|,"), max_size=60)


@settings(deadline=None, max_examples=150)
@given(PLAIN, DELIMITERS)
def test_the_fast_way_reads_what_the_careful_way_reads(text, delimiter):
    def outcome(read):
        try:
            found = read()
        except InvalidRequestError as error:
            return str(error)
        rows = [found.line(row) for row in range(len(found.columns[0]))]
        return found.names, [column.to_pylist() for column in found.columns], rows

    fast = outcome(lambda: records.read_columns(text, delimiter))
    with mock.patch.object(records, "_unquoted", return_value=()):
        careful = outcome(lambda: records.read_columns(text, delimiter))

    assert fast == careful


GARBAGE = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(st.sampled_from('ab1,;|\t"\n\r .-\0'), max_size=120).map(str.encode),
    st.binary(max_size=200).map(lambda rest: b"PAR1" + rest + b"PAR1"),
)


@settings(deadline=None, max_examples=200)
@given(
    GARBAGE,
    st.sampled_from([None, ",", ";", "x"]),
    st.sampled_from([None, ".", ","]),
    st.sampled_from([None, "UTF-8", "Latin-1", "UTF-16", "EBCDIC"]),
)
def test_garbage_is_read_or_refused_and_never_breaks_the_reader(
    content, delimiter, decimal, encoding
):
    try:
        reading = tabular.read(content, delimiter=delimiter, decimal=decimal, encoding=encoding)
    except InvalidRequestError as error:
        assert str(error).strip()
    else:
        assert reading.table.num_rows > 0
        assert all(name.strip() for name in reading.table.column_names)
