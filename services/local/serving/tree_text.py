"""Trees of scikit-learn and XGBoost in LightGBM's text format: one C library for them all.

A forest scored through scikit-learn costs milliseconds a row and XGBoost's library a quarter
of one, most of it spent starting; LightGBM's answers the same trees in microseconds.
Thresholds and leaves keep all 17 digits. LightGBM and scikit-learn go left on ``<=``,
XGBoost on ``<`` among single-precision numbers, which is ``<=`` of the number before.

Source: LightGBM 4.7, ``Tree::ToString`` and ``GBDT::LoadModelFromString``; XGBoost 3.2,
``doc/model.schema``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_MISSING_IS_NAN = 2 << 2
_DEFAULT_LEFT = 1 << 1


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes in any order, the root first. A leaf has no left child (-1)."""

    left: npt.NDArray[np.intp]
    right: npt.NDArray[np.intp]
    feature: npt.NDArray[np.intp]
    threshold: npt.NDArray[np.float64]
    missing_left: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]


def from_sklearn(tree: Any, values: npt.NDArray[np.float64]) -> Tree:
    """A ``sklearn.tree._tree.Tree`` with one value per node."""
    return Tree(
        left=tree.children_left.astype(np.intp),
        right=tree.children_right.astype(np.intp),
        feature=tree.feature.astype(np.intp),
        threshold=tree.threshold.astype(np.float64),
        missing_left=np.asarray(tree.missing_go_to_left, dtype=bool),
        value=values.astype(np.float64),
    )


def from_histogram(nodes: npt.NDArray[Any]) -> Tree:
    """The nodes of a ``TreePredictor`` of histogram gradient boosting.

    Raises:
        ValueError: it splits by category, which has no counterpart here.
    """
    if nodes["is_categorical"].any():
        raise ValueError("the tree splits by category")
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        left=np.where(leaf, -1, nodes["left"].astype(np.intp)),
        right=np.where(leaf, -1, nodes["right"].astype(np.intp)),
        feature=nodes["feature_idx"].astype(np.intp),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"].astype(np.float64),
    )


def from_xgboost(tree: Mapping[str, Any]) -> Tree:
    """One entry of ``gradient_booster.model.trees`` of a model saved as JSON.

    Raises:
        ValueError: it splits by category, which has no counterpart here.
    """
    if any(tree["split_type"]):
        raise ValueError("the tree splits by category")
    conditions = np.array(tree["split_conditions"], dtype=np.float32)  # a leaf's is its value
    return Tree(
        left=np.array(tree["left_children"], dtype=np.intp),
        right=np.array(tree["right_children"], dtype=np.intp),
        feature=np.array(tree["split_indices"], dtype=np.intp),
        threshold=np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64),
        missing_left=np.array(tree["default_left"], dtype=bool),
        value=conditions.astype(np.float64),
    )


def model_text(trees: Sequence[Tree], *, output_count: int, feature_count: int) -> str:
    """A model whose output `k` is the sum of trees `k`, `k + output_count`, …"""
    names = " ".join(f"f{number}" for number in range(feature_count))
    header = (
        "tree\nversion=v4\n"
        f"num_class={output_count}\nnum_tree_per_iteration={output_count}\n"
        f"label_index=0\nmax_feature_idx={feature_count - 1}\n"
        f"feature_names={names}\n"
        f"feature_infos={' '.join(['none'] * feature_count)}\n\n"
    )
    body = "".join(_tree_text(number, tree) for number, tree in enumerate(trees))
    return f"{header}{body}end of trees\n\nparameters:\nend of parameters\n"


def _tree_text(number: int, tree: Tree) -> str:
    leaf = tree.left < 0
    inner = np.flatnonzero(~leaf)
    if len(inner) == 0:
        return f"Tree={number}\nnum_leaves=1\nnum_cat=0\nleaf_value={tree.value[0]:.17g}\n\n"
    # Inner nodes and leaves are numbered apart; a leaf is written as ~its number.
    place = np.empty(len(leaf), dtype=np.intp)
    place[inner] = np.arange(len(inner))
    place[leaf] = ~np.arange(leaf.sum())
    decision = _MISSING_IS_NAN + _DEFAULT_LEFT * tree.missing_left[inner].astype(int)
    rows = {
        "split_feature": _integers(tree.feature[inner]),
        "split_gain": _integers(np.ones_like(inner)),
        "threshold": _numbers(tree.threshold[inner]),
        "decision_type": _integers(decision),
        "left_child": _integers(place[tree.left[inner]]),
        "right_child": _integers(place[tree.right[inner]]),
        "leaf_value": _numbers(tree.value[leaf]),
        "leaf_weight": _integers(np.ones(leaf.sum(), int)),
        "leaf_count": _integers(np.ones(leaf.sum(), int)),
        "internal_value": _integers(np.zeros_like(inner)),
        "internal_weight": _integers(np.zeros_like(inner)),
        "internal_count": _integers(np.ones_like(inner)),
    }
    lines = "".join(f"{name}={values}\n" for name, values in rows.items())
    return (
        f"Tree={number}\nnum_leaves={leaf.sum()}\nnum_cat=0\n{lines}is_linear=0\nshrinkage=1\n\n\n"
    )


def _integers(values: Iterable[Any]) -> str:
    return " ".join(str(int(value)) for value in values)


def _numbers(values: Iterable[Any]) -> str:
    return " ".join(f"{float(value):.17g}" for value in values)
