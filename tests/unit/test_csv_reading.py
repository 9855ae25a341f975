"""CSV in its dialects: what is read, and what is refused with which line and reason."""

from __future__ import annotations

from datetime import datetime

import pytest

from services import tabular
from services.errors import InvalidRequestError
from tests.shared_data import shared_data


def rows(text: str | bytes, **options):
    content = text if isinstance(text, bytes) else text.encode()
    return tabular.read(content, **options).table.to_pydict()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter):
    text = "age,job,y\n37,admin.,no\n41,retired,yes\n".replace(",", delimiter)

    reading = tabular.read(text.encode())

    assert reading.delimiter == delimiter
    assert reading.table.to_pydict() == {
        "age": [37, 41],
        "job": ["admin.", "retired"],
        "y": ["no", "yes"],
    }


def test_commas_inside_the_values_of_a_semicolon_file_separate_nothing():
    reading = tabular.read(b'name;rate\n"Silva, Ana";1,5\n"Costa, Rui";2,25\n')

    assert reading.delimiter == ";"
    assert reading.decimal == ","
    assert reading.table.to_pydict() == {
        "name": ["Silva, Ana", "Costa, Rui"],
        "rate": [1.5, 2.25],
    }


def test_a_quoted_decimal_comma_is_read_in_a_comma_file():
    assert rows('a,b\n"1,5",x\n"2,0",y\n') == {"a": [1.5, 2.0], "b": ["x", "y"]}


def test_quotes_hold_delimiters_line_ends_and_quotes():
    text = 'a,b\n"one, two","line\nbreak"\n"she said ""no""",x\n'

    assert rows(text) == {"a": ["one, two", 'she said "no"'], "b": ["line\nbreak", "x"]}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(line_end):
    assert rows(line_end.join(["a,b", "1,2", "3,4", ""])) == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("latin-1", "Latin-1"), ("utf-16", "UTF-16")],
)
def test_the_encoding_is_found_out(codec, name):
    reading = tabular.read("cidade,n\nSão Paulo,1\nÉvora,2\n".encode(codec))

    assert reading.encoding == name
    assert reading.table.column_names == ["cidade", "n"]
    assert reading.table["cidade"].to_pylist() == ["São Paulo", "Évora"]


def test_a_file_that_is_not_utf8_is_read_and_says_so():
    reading = tabular.read("a\ncafé\n".encode("latin-1"))

    assert reading.warnings == ("The file is not UTF-8; it is read as Latin-1.",)


def test_curly_quotes_of_windows_are_not_control_characters():
    reading = tabular.read("a\n“x”\n".encode("cp1252"))

    assert reading.encoding == "Windows-1252"
    assert reading.table["a"].to_pylist() == ["“x”"]


def test_types_are_the_narrowest_that_lose_nothing():
    text = (
        "whole,number,flag,day,zoned,code,long,word\n"
        "1,1.5,true,2024-01-31,2024-01-31T10:00:00+02:00,007,12345678901234567890,x\n"
        "+2,2e3,FALSE,2024-02-01,2024-01-31T08:30:00Z,01,1,y\n"
    )

    assert rows(text) == {
        "whole": [1, 2],
        "number": [1.5, 2000.0],
        "flag": [True, False],
        "day": [datetime(2024, 1, 31), datetime(2024, 2, 1)],
        "zoned": [datetime(2024, 1, 31, 8), datetime(2024, 1, 31, 8, 30)],
        "code": ["007", "01"],
        "long": ["12345678901234567890", "1"],
        "word": ["x", "y"],
    }


def test_missing_words_count_among_numbers_and_not_among_words():
    assert rows("n,country\n1,NA\nNA,PT\nnull,\n") == {
        "n": [1, None, None],
        "country": ["NA", "PT", None],
    }


def test_a_column_without_any_value_is_a_column_of_missing_numbers():
    assert rows("a,b\n1,\n2,NA\n") == {"a": [1, 2], "b": [None, None]}


def test_truth_values_with_gaps_become_words():
    assert rows("a,b\nTrue,1\n,2\n") == {"a": ["true", None], "b": [1, 2]}


def test_a_date_that_does_not_exist_stays_text():
    assert rows("a\n2024-02-30\n2024-01-01\n") == {"a": ["2024-02-30", "2024-01-01"]}


def test_a_number_too_large_stays_text():
    assert rows("a\n1e999\n2\n") == {"a": ["1e999", "2"]}


def test_one_word_among_numbers_is_named_with_its_line():
    text = "n,m\n" + "1,2\n" * 60 + "n/k,3\n"

    reading = tabular.read(text.encode())

    assert reading.warnings == ("“n” is read as text because of “n/k” on line 62.",)


def test_commas_that_may_separate_thousands_are_pointed_out():
    reading = tabular.read(b"price;x\n1,234;a\n5,678;b\n")

    assert reading.table["price"].to_pylist() == [1.234, 5.678]
    assert "separate thousands" in reading.warnings[0]
    assert rows(b"price;x\n1,234;a\n", decimal=".") == {"price": ["1,234"], "x": ["a"]}


def test_two_decimal_signs_in_one_file_are_pointed_out():
    reading = tabular.read(b"a;b\n1,5;1.5\n2,5;2.5\n")

    assert reading.table.to_pydict() == {"a": ["1,5", "2,5"], "b": [1.5, 2.5]}
    assert reading.warnings == (
        "“a” is read as text: its numbers have a decimal comma, those of “b” a decimal point.",
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "no line of column names"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2\n3\n", "Line 3 has 1 value where the first line names 2 columns"),
        (b"a,b\n1,2\n\n3,4,5\n", "Line 4 has 3 values"),
        (b'a,b\n"1\n1",2\n3\n', "Line 4 has 1 value"),
        (b'a,b\n1,2\n3,"x\n4,y\n', "Line 3: a quotation mark is opened there and never closed."),
        (b'a,b\n1,"x"y\n', "Line 2: text follows a closing quotation mark"),
        (b"a,a\n1,2\n", "Line 1 names the column “a” 2 times."),
        (b"a, a\n1,2\n", "Line 1 names the column “a” 2 times."),
        (b"a,\n1,2\n", "Line 1: column 2 has no name."),
        (b"1,2\n3,4\n", "Line 1 holds numbers where column names belong."),
        (b"a,b\n1,2\n\x00,3\n", "Line 3 holds a zero byte"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\x1f\x8brest", "gzip"),
        (b"PAR1 but no more", "The Parquet file is damaged"),
        (b"a\n" + b"x" * 200_000 + b"\n", "Line 2: one value has more than 131,072 characters."),
    ],
)
def test_a_bad_file_is_refused_with_the_line_and_the_reason(content, reason):
    with pytest.raises(InvalidRequestError) as refusal:
        tabular.read(content)

    assert reason in str(refusal.value)


def test_a_wrong_delimiter_is_refused_with_the_line_and_the_right_one():
    with pytest.raises(InvalidRequestError, match="Line 1 has no semicolon.*comma would give 3"):
        tabular.read(b"a,b,c\n1,2,3\n", delimiter=";")


def test_a_wrong_encoding_is_refused_with_the_line():
    with pytest.raises(InvalidRequestError, match="Line 2 is not UTF-8: byte 0xE9"):
        tabular.read("a\ncafé\n".encode("latin-1"), encoding="UTF-8")


def test_a_file_over_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr("services.tabular.reading.CONTENT_LIMIT_BYTES", 3 * 1024**2)

    with pytest.raises(InvalidRequestError, match="4 MB; 3 MB are accepted"):
        tabular.read(b"a\n" + b"1\n" * 2 * 1024**2)


def test_rows_for_a_check_keep_a_bad_value_from_changing_its_neighbours():
    names, found = tabular.read_text_rows(b"age;rate\n37;1,5\nabc;2,5\n;3\n")

    assert names == ("age", "rate")
    assert found == [("37", "1.5"), ("abc", "2.5"), (None, "3")]


def test_the_bank_marketing_file_is_read_as_pandas_reads_it():
    import pandas as pd

    path = shared_data("bankmarketing_train.csv")

    frame = tabular.read(path.read_bytes()).table.to_pandas()

    pd.testing.assert_frame_equal(frame, pd.read_csv(path), check_dtype=False)
    assert frame.shape == (32_950, 21)
