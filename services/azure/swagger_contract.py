"""What a row must look like, as far as a web service's API description tells (pure).

It names the columns and their types and shows an example. Which values are usual, and the
names of the classes, it does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.domain import ColumnContract, ColumnType, DataContract

_TYPES: Mapping[str, ColumnType] = {
    "integer": ColumnType.INTEGER,
    "number": ColumnType.NUMBER,
    "string": ColumnType.STRING,
    "boolean": ColumnType.BOOLEAN,
}


def read(document: Mapping[str, Any]) -> DataContract | None:
    """The contract in an OpenAPI 2.0 or 3.0 document; None when it describes no table.

    Source: azureml-inference-server-http 1.5.1, whose documents call the body
    ``ServiceInput``; its rows are objects, or values by position.
    """
    schemas = document.get("definitions") or _object(document.get("components")).get("schemas")
    body = _object(_object(schemas).get("ServiceInput"))
    for name, rows in _tables(body):
        columns = rows["items"]["properties"]
        example = _example(body, name)
        return DataContract(
            columns=tuple(
                _column(key, _object(schema), example.get(key)) for key, schema in columns.items()
            )
        )
    return None


def _object(value: Any) -> Mapping[str, Any]:
    """The value if it is an object; whoever wrote the document may have meant something else."""
    return value if isinstance(value, Mapping) else {}


def _tables(schema: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Arrays of objects with named values, the outermost first."""
    items = schema.get("items")
    if isinstance(items, Mapping) and isinstance(items.get("properties"), Mapping):
        yield name, schema
    for key, inner in _object(schema.get("properties")).items():
        if isinstance(inner, Mapping):
            yield from _tables(inner, key)


def _example(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The first row of the example, wherever it stands."""
    example = body.get("example")
    while isinstance(example, Mapping) and name not in example:
        example = next(iter(example.values()), None)
    rows = example.get(name) if isinstance(example, Mapping) else None
    row = rows[0] if isinstance(rows, list) and rows else None
    return row if isinstance(row, Mapping) else {}


def _column(name: str, schema: Mapping[str, Any], example: Any) -> ColumnContract:
    kind = _TYPES.get(str(schema.get("type")), ColumnType.STRING)
    if kind is ColumnType.STRING and str(schema.get("format", "")).startswith("date"):
        kind = ColumnType.DATETIME
    return ColumnContract(
        name=str(name),
        type=kind,
        nullable=bool(schema.get("nullable", False)),
        minimum=None,
        maximum=None,
        example=schema.get("example") if example is None else example,
    )
