"""How feature importance moved from one model to another: a slope per feature, and a list."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import charts, charts_compare, formats, reads
from services import importance_movement
from services.domain import Explanation, Model
from services.errors import NotFoundError
from services.importance_movement import Moved, Movement

SLOPES, LISTED = 10, 8  # features drawn, and named at once
MARKS = {
    Movement.UP: ":material/arrow_upward:",
    Movement.DOWN: ":material/arrow_downward:",
    Movement.NEW: ":material/fiber_new:",
    Movement.VANISHED: ":material/visibility_off:",
}


def show(before: Model, after: Model) -> None:
    """Draw slopes and list, or say which of the two was never explained."""
    st.markdown("**Importance movement**", help="Raw features, as each search explained its best")
    explained = [_explanation(each) for each in (before, after)]
    missing = [
        model.id for model, found in zip((before, after), explained, strict=True) if found is None
    ]
    if missing:
        names = " and ".join(missing)
        st.caption(
            f"Not computed for {formats.plain(names)}. A search explains its best model only."
        )
        return
    old, new = (found.raw for found in explained if found is not None)
    moved = importance_movement.movements(old, new)
    drawn = sorted(moved, key=lambda each: -max(each.share_before, each.share_after))[:SLOPES]
    st.plotly_chart(
        charts_compare.slopes(drawn, before=before.id, after=after.id),
        config=charts.CONFIG,
        key="models.movement",
        alt=f"Share of importance of {len(drawn)} features in {before.id} and in {after.id}",
    )
    _list(moved)


def _list(moved: Sequence[Moved]) -> None:
    changed = [each for each in moved if each.movement is not Movement.SAME]
    if not changed:
        st.caption("Every feature kept its rank.")
        return
    st.markdown(_lines(changed[:LISTED]))
    if changed[LISTED:]:
        with st.expander(f"{formats.plural(len(changed) - LISTED, 'more feature')} moved"):
            st.markdown(_lines(changed[LISTED:]))
    if len(moved) > len(changed):
        st.caption(f"{formats.plural(len(moved) - len(changed), 'feature')} kept the same rank.")


def _lines(changed: Sequence[Moved]) -> str:
    return "\n".join(f"- {MARKS[each.movement]} {in_words(each)}" for each in changed)


def in_words(moved: Moved) -> str:
    """One feature's movement as a line of the list."""
    name = f"**{formats.plain(moved.feature)}**"
    if moved.movement is Movement.NEW:
        return f"{name} is new, with {formats.percent(moved.share_after)} of the importance"
    if moved.movement is Movement.VANISHED:
        return f"{name} vanished; it had {formats.percent(moved.share_before)} of the importance"
    share = f"{formats.percent(moved.share_before)} → {formats.percent(moved.share_after)}"
    return f"{name} from rank {moved.rank_before} to {moved.rank_after}, {share}"


def _explanation(model: Model) -> Explanation | None:
    try:
        return reads.explanation(model.run_id) if model.run_id else None
    except NotFoundError:
        return None
