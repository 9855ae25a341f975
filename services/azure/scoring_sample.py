"""The columns a scoring script expects, read from the sample AutoML writes into it (pure).

The script is parsed and never run.

Source: azureml-automl-runtime, ``scoring_file_v_1_0_0.py``: an ``input_sample`` or
``data_sample`` of ``pd.DataFrame({"age": pd.Series([0], dtype="int64"), …})``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from services.domain import ColumnContract, ColumnType

TYPES = {
    "int": ColumnType.INTEGER,
    "float": ColumnType.NUMBER,
    "bool": ColumnType.BOOLEAN,
    "datetime": ColumnType.DATETIME,
}
PLACEHOLDER = "example_value"  # what AutoML writes for text


def columns(script: str) -> tuple[ColumnContract, ...]:
    """Names and types in order; empty when the script holds no such sample."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError):
        return ()
    for frame in _frames(tree):
        found = [_column(key, value) for key, value in zip(frame.keys, frame.values, strict=True)]
        if found and all(found):
            return tuple(each for each in found if each is not None)
    return ()


def _frames(tree: ast.AST) -> Iterator[ast.Dict]:
    """The dictionaries that data frames are made of, in the order they are written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) == "DataFrame":
            yield from (each for each in node.args[:1] if isinstance(each, ast.Dict))


def _column(key: ast.expr | None, value: ast.expr) -> ColumnContract | None:
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return None
    if not isinstance(value, ast.Call) or _name(value) != "Series":
        return None
    kind = next((_literal(word.value) for word in value.keywords if word.arg == "dtype"), "")
    example = _literal(value.args[0]) if value.args else None
    first = example[0] if isinstance(example, list) and example else None
    return ColumnContract(
        name=key.value,
        type=_type(str(kind)),
        nullable=True,  # a sample does not tell
        example=None if first == PLACEHOLDER else first,
    )


def _type(dtype: str) -> ColumnType:
    word = dtype.lower().lstrip("u")
    return next((kind for name, kind in TYPES.items() if word.startswith(name)), ColumnType.STRING)


def _name(call: ast.Call) -> str:
    target = call.func
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
