"""What a fitted ``ColumnTransformer`` does to a row, written down for `encoder`.

Categories are found out by asking: each known value of a column goes through the real
transformer while the others stay put, and what changes in its output is that value's
entry. Numbers are read off the transformers, since a formula has no finite table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from services.domain import ColumnContract, ColumnType, DataContract
from services.local.serving.encoder import DATE_PARTS
from services.local.serving.frames import frame

UNSEEN = "\x00 a category never seen \x00"


class UnsupportedModelError(Exception):
    """A part of the model has no counterpart in the fast cores; the message names it."""


def encoding(transformer: Any, contract: DataContract) -> dict[str, Any]:
    """The document `encoder.Encoder` reads.

    Raises:
        UnsupportedModelError: a transformer is of a kind not known here.
    """
    index = {column.name: number for number, column in enumerate(contract.columns)}
    names = list(transformer.feature_names_in_)
    if missing := set(names) - index.keys():
        raise UnsupportedModelError(f"columns the contract does not have: {sorted(missing)}")
    width = max((each.stop for each in transformer.output_indices_.values()), default=0)
    base, lookups, numbers = [0.0] * width, [], []
    for name, fitted, spec in transformer.transformers_:
        where = transformer.output_indices_[name]
        if where.start == where.stop:
            continue
        columns = _column_names(spec, names)
        if _any_instants(columns, contract, index):
            numbers += list(_instants(fitted, columns, index, where.start))
        elif _all_numeric(columns, contract, index, fitted):
            numbers += list(_numbers(fitted, columns, index, where.start))
        else:
            offset, found = _lookups(fitted, columns, contract, where.start)
            base[where] = offset
            lookups += [{"index": index[column], **table} for column, table in found]
    return {"base": base, "lookups": lookups, "numbers": numbers}


def is_classifier(estimator: Any) -> bool:
    return hasattr(estimator, "classes_") and hasattr(estimator, "predict_proba")


def _column_names(spec: Any, names: Sequence[str]) -> list[str]:
    array = np.asarray(list(range(len(names)))[spec] if isinstance(spec, slice) else spec)
    if array.dtype.kind in "OUT":
        return [str(each) for each in np.atleast_1d(array)]
    if array.dtype == bool:
        return [name for name, chosen in zip(names, array, strict=True) if chosen]
    return [names[int(each)] for each in np.atleast_1d(array)]


def _any_instants(columns: Sequence[str], contract: DataContract, index: Mapping[str, int]) -> bool:
    return any(contract.columns[index[column]].type is ColumnType.DATETIME for column in columns)


def _all_numeric(
    columns: Sequence[str], contract: DataContract, index: Mapping[str, int], fitted: Any
) -> bool:
    kinds = {contract.columns[index[column]].type for column in columns}
    numeric = kinds <= {ColumnType.INTEGER, ColumnType.NUMBER}
    return numeric and not any(hasattr(step, "categories_") for step in flattened(fitted))


def flattened(transformer: Any) -> Iterator[Any]:
    """The steps of a pipeline, of pipelines inside it too; ``passthrough`` left out."""
    steps = getattr(transformer, "steps", None)
    if steps is None:
        if transformer is not None and not isinstance(transformer, str):
            yield transformer
        return
    for _, step in steps:
        yield from flattened(step)


# --- categories -------------------------------------------------------------------


def _lookups(
    fitted: Any, columns: Sequence[str], contract: DataContract, start: int
) -> tuple[list[float], list[tuple[str, dict[str, Any]]]]:
    """What never changes in the block, and per column the entries of its values."""
    by_name = {column.name: column for column in contract.columns}
    selected = DataContract(columns=tuple(by_name[name] for name in columns))
    candidates = {
        name: _candidates(by_name[name].categories, fitted, position)
        for position, name in enumerate(columns)
    }
    typical = {name: values[0] for name, values in candidates.items()}

    def encode(rows: list[dict[str, Any]]) -> Any:
        try:
            encoded = fitted.transform(frame(selected, rows))
        except ValueError as error:  # handle_unknown="error", for one
            raise UnsupportedModelError(f"{type(fitted).__name__}: {error}") from error
        return encoded.toarray() if hasattr(encoded, "toarray") else np.asarray(encoded, float)

    constant = encode([typical])[0]
    found = []
    for name, values in candidates.items():
        asked = [*values, *_probes(by_name[name])]
        encoded = encode([{**typical, name: value} for value in asked])
        slots = np.flatnonzero((encoded != encoded[0]).any(axis=0))
        constant[slots] = 0.0
        entries = [
            (value, [(start + int(slot), float(row[slot])) for slot in slots if row[slot]])
            for value, row in zip(asked, encoded, strict=True)
        ]
        unseen = next((slots for value, slots in entries if value == UNSEEN), [])
        table = [entry for entry in entries if entry[0] != UNSEEN]
        found.append((name, {"table": table, "unseen": unseen}))
    return constant.tolist(), found


def _candidates(categories: Sequence[str], fitted: Any, position: int) -> list[Any]:
    """Every value the transformer knows of this column."""
    for step in flattened(fitted):
        if hasattr(step, "categories_"):
            known = [_plain(value) for value in step.categories_[position]]
            present = [value for value in known if value is not None]
            return present or list(categories)
    if not categories:
        raise UnsupportedModelError(f"{type(fitted).__name__} of free text")
    return list(categories)


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return None if plain is None or plain != plain else plain


def _probes(column: ColumnContract) -> list[Any]:
    """A missing value and one never seen, where the column may have them."""
    missing = [None] if column.nullable else []
    return [*missing, UNSEEN] if column.type is ColumnType.STRING else missing


# --- numbers ----------------------------------------------------------------------


def _numbers(
    fitted: Any, columns: Sequence[str], index: Mapping[str, int], start: int
) -> Iterator[dict[str, Any]]:
    """One document per number, and one per mark of a missing value."""
    steps = list(flattened(fitted))
    marked: list[int] = []
    fills: list[float | None] = [None] * len(columns)
    operations: list[list[tuple[str, float]]] = [[] for _ in columns]
    if [type(step).__name__ for step in steps] == ["MissingIndicator"]:
        for place, column in enumerate(steps[0].features_):
            yield {"index": index[columns[column]], "slot": start + place, "mark": True}
        return
    for step in steps:
        if type(step).__name__ == "SimpleImputer":
            fills, marked = _imputed(step, columns)
            continue
        if marked:
            raise UnsupportedModelError("scaled marks of missing values")
        for name, operand in columnwise(step):
            for place, value in enumerate(np.broadcast_to(operand, len(columns))):
                operations[place].append((name, float(value)))
    for place, name in enumerate(columns):
        number = {"fill": fills[place], "operations": operations[place]}
        yield {"index": index[name], "slot": start + place, "mark": False, **number}
    for place, column in enumerate(marked):
        slot = start + len(columns) + place
        yield {"index": index[columns[column]], "slot": slot, "mark": True}


def _imputed(step: Any, columns: Sequence[str]) -> tuple[list[float | None], list[int]]:
    fills = [float(value) for value in step.statistics_]
    if len(fills) != len(columns) or any(value != value for value in fills):
        raise UnsupportedModelError("a column that was always missing")
    return list(fills), [
        int(each) for each in step.indicator_.features_
    ] if step.add_indicator else []


# --- instants ---------------------------------------------------------------------


def _instants(
    fitted: Any, columns: Sequence[str], index: Mapping[str, int], start: int
) -> Iterator[dict[str, Any]]:
    """One document per part of a date and column, for the parts AutoML takes: year, hour …"""
    steps = list(flattened(fitted))
    if [type(step).__name__ for step in steps[-2:]] != ["FeatureUnion", "SimpleImputer"]:
        raise UnsupportedModelError("dates")
    union, imputer = steps[-2:]
    parts = [_part(taken) for _, taken in union.transformer_list]
    fills, marked = _imputed(imputer, [*parts] * len(columns))
    if marked:
        raise UnsupportedModelError("marks of missing dates")
    for place, (part, column) in enumerate((p, c) for p in parts for c in columns):
        yield {
            "index": index[column],
            "slot": start + place,
            "mark": False,
            "part": part,
            "fill": fills[place],
            "operations": [],
        }


def _part(taken: Any) -> str:
    """The part of a date a ``FunctionTransformer`` takes with ``attrgetter("dt.…")``."""
    taker: Any = (getattr(taken, "kw_args", None) or {}).get("func")
    arguments: Any = taker.__reduce__()[1] if type(taker) is attrgetter else ()
    name = str(arguments[0]) if len(arguments) == 1 else ""
    if name.removeprefix("dt.") not in DATE_PARTS:
        raise UnsupportedModelError(f"a part of dates called {name or type(taken).__name__}")
    return name.removeprefix("dt.")


def columnwise(step: Any) -> list[tuple[str, Any]]:
    """A scaler as operations with an operand per column, in scikit-learn's own order.

    Raises:
        UnsupportedModelError: it is no scaler known here.
    """
    kind = type(step).__name__
    if kind == "FunctionTransformer" and step.func is None:
        return []
    if kind == "MaxAbsScaler":
        return [("div", step.scale_)]
    if kind == "MinMaxScaler":
        scaled = [("mul", step.scale_), ("add", step.min_)]
        low, high = step.feature_range
        return [*scaled, ("at least", low), ("at most", high)] if step.clip else scaled
    if kind == "StandardScaler":
        return _shifted(step.mean_ if step.with_mean else None, step.scale_)
    if kind == "RobustScaler":
        centered = step.center_ if step.with_centering else None
        return _shifted(centered, step.scale_ if step.with_scaling else None)
    raise UnsupportedModelError(kind)


def _shifted(center: Any, scale: Any) -> list[tuple[str, Any]]:
    operations = []
    if center is not None:
        operations.append(("sub", center))
    if scale is not None:
        operations.append(("div", scale))
    return operations
