"""What a deployment says about itself, as OpenAPI 2.0 and 3.0 (pure).

The 2.0 document has the shape Azure's servers give it. Its examples are real rows, so that
what a reader tries out is answered. Azure describes the answer as a list, though a string is
sent; here it is described as what it is.

Source: azureml-inference-server-http 1.5.1, its two templates, for names and structure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from services.domain import ColumnContract, ColumnType, DataContract

DEFAULT_VERSION = "2"
VERSIONS = ("2", "2.0", "3", "3.0")
EXAMPLE_ROWS = 2
SHOWN_CATEGORIES = 12

Document = dict[str, Any]

_TYPES: Mapping[ColumnType, Document] = {
    ColumnType.INTEGER: {"type": "integer", "format": "int64"},
    ColumnType.NUMBER: {"type": "number", "format": "double"},
    ColumnType.STRING: {"type": "string"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
}
_HEALTH = "Whether the deployment can score. Needs no key."
_SCORE = (
    "Predict one label or value per row. Rows go into “data”; “method”: “predict_proba” beside it "
    "asks for the probability of every class instead. The answer is JSON inside a JSON string."
)
_REFUSALS = {
    "400": "The body cannot be read; the message names the column.",
    "401": "The key is missing or not one of the deployment’s two.",
    "413": "The body is larger than 10 MB.",
    "415": "The content type is not application/json.",
    "500": "The model failed; the server’s log says why.",
    "503": "The server is still loading its model.",
}


def documents(
    name: str,
    contract: DataContract,
    *,
    rows: Sequence[Mapping[str, Any]],
    result: Sequence[Any],
) -> Mapping[str, Document]:
    """The description per version.

    Args:
        rows: real rows, the first of which become the example.
        result: what the deployment answers for those rows.
    """
    shown = [{key: _plain(value) for key, value in row.items()} for row in rows[:EXAMPLE_ROWS]]
    answer = json.dumps({"result": list(result[:EXAMPLE_ROWS])})
    second = _version_2(name, contract, shown, answer)
    third = _version_3(name, contract, shown, answer)
    return {version: second if version.startswith("2") else third for version in VERSIONS}


def of_script(
    name: str, service_input: Mapping[str, Any], service_output: Mapping[str, Any]
) -> Mapping[str, Document]:
    """The description of a scoring script, from the schemas it is decorated with."""
    empty = DataContract(columns=())
    second, third = _version_2(name, empty, [], ""), _version_3(name, empty, [], "")
    for schemas in (second["definitions"], third["components"]["schemas"]):
        schemas |= {"ServiceInput": dict(service_input), "ServiceOutput": dict(service_output)}
    return {version: second if version.startswith("2") else third for version in VERSIONS}


def _version_2(
    name: str, contract: DataContract, rows: Sequence[Mapping[str, Any]], answer: str
) -> Document:
    failed = {
        "description": "The request was refused or failed; the message says why.",
        "schema": {"$ref": "#/definitions/ErrorResponse"},
    }
    return {
        "swagger": "2.0",
        "info": _info(name),
        "schemes": ["http"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {
            "Bearer": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "description": "Bearer and a key: Bearer abc123",
            }
        },
        "paths": {
            "/": {
                "get": {
                    "operationId": "ServiceHealthCheck",
                    "description": _HEALTH,
                    "responses": {
                        "200": {
                            "description": "It can.",
                            "schema": {"type": "string"},
                            "examples": {"application/json": "Healthy"},
                        },
                        "default": failed,
                    },
                }
            },
            "/score": {
                "post": {
                    "operationId": "RunMLService",
                    "description": _SCORE,
                    "security": [{"Bearer": []}],
                    "parameters": [
                        {
                            "name": "serviceInputPayload",
                            "in": "body",
                            "description": "The rows to score.",
                            "schema": {"$ref": "#/definitions/ServiceInput"},
                        }
                    ],
                    "responses": {
                        "200": {
                            "description": "One result per row, in order.",
                            "schema": {"$ref": "#/definitions/ServiceOutput"},
                        },
                        "default": failed,
                    },
                }
            },
        },
        "definitions": {
            "ServiceInput": {
                "type": "object",
                "properties": {"data": _rows_schema(contract, described=False)},
                "example": {"data": rows},
            },
            "ServiceOutput": {"type": "string", "example": answer},
            "ErrorResponse": _ERROR,
        },
    }


def _version_3(
    name: str, contract: DataContract, rows: Sequence[Mapping[str, Any]], answer: str
) -> Document:
    properties: Document = {"data": _rows_schema(contract, described=True)}
    if contract.classes:
        properties["method"] = {
            "type": "string",
            "enum": ["predict", "predict_proba"],
            "default": "predict",
            "description": f"Probabilities come in this order: {', '.join(contract.classes)}.",
        }
    return {
        "openapi": "3.0.3",
        "info": _info(name),
        "paths": {
            "/": {
                "get": {
                    "operationId": "ServiceHealthCheck",
                    "tags": ["Operations"],
                    "summary": "Is it healthy?",
                    "description": _HEALTH,
                    "responses": {
                        "200": {
                            "description": "It can.",
                            "content": _content("text/plain", {"type": "string"}, "Healthy"),
                        },
                        "503": _refused("503"),
                    },
                }
            },
            "/score": {
                "post": {
                    "operationId": "RunMLService",
                    "tags": ["Operations"],
                    "summary": "Predict",
                    "description": _SCORE,
                    "security": [{"Bearer": []}],
                    "requestBody": {
                        "required": True,
                        "content": _json_content("ServiceInput"),
                    },
                    "responses": {
                        "200": {
                            "description": "One result per row, in order.",
                            "content": _json_content("ServiceOutput"),
                        },
                        **{code: _refused(code) for code in _REFUSALS},
                    },
                }
            },
        },
        "components": {
            "securitySchemes": {
                "Bearer": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "Bearer and a key: Bearer abc123",
                }
            },
            "schemas": {
                "ServiceInput": {
                    "type": "object",
                    "required": ["data"],
                    "properties": properties,
                    "example": {"data": rows},
                },
                "ServiceOutput": {"type": "string", "example": answer},
                "ErrorResponse": _ERROR,
            },
        },
    }


_ERROR: Document = {
    "type": "object",
    "properties": {
        "status_code": {"type": "integer", "format": "int32"},
        "message": {"type": "string"},
    },
}


def _info(name: str) -> Document:
    return {
        "title": name,
        "description": f"What the deployment {name} answers, and to what.",
        "version": "1.0",
    }


def _rows_schema(contract: DataContract, *, described: bool) -> Document:
    columns = {column.name: _column(column, described) for column in contract.columns}
    items: Document = {"type": "object", "properties": columns}
    if described:
        items["required"] = list(columns)
    return {"type": "array", "items": items}


def _column(column: ColumnContract, described: bool) -> Document:
    schema = dict(_TYPES[column.type])
    if not described:
        return schema
    if column.nullable:
        schema["nullable"] = True
    if (about := _about(column)) is not None:
        schema["description"] = about
    return schema


def _about(column: ColumnContract) -> str | None:
    if column.categories:
        shown = ", ".join(column.categories[:SHOWN_CATEGORIES])
        return f"{shown}, …" if len(column.categories) > SHOWN_CATEGORIES else shown
    if column.minimum is None or column.maximum is None:
        return None
    special = "".join(f", or {value:g}" for value in column.sentinels)
    return f"{column.minimum:g} to {column.maximum:g} in the data{special}"


def _refused(code: str) -> Document:
    return {"description": _REFUSALS[code], "content": _json_content("ErrorResponse")}


def _json_content(schema: str) -> Document:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _content(kind: str, schema: Document, example: str) -> Document:
    return {kind: {"schema": schema, "example": example}}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
