"""How high a table is: as high as its rows, up to a limit, and then it scrolls."""

from __future__ import annotations

from typing import Literal

ROW_PX = 31  # at the theme's font size
FRAME_PX = 34  # the header and the borders


def of(row_count: int, *, at_most: int) -> int | Literal["content"]:
    """For ``st.dataframe(height=…)``: no empty line at the end, and no page-long table."""
    return "content" if row_count <= at_most else FRAME_PX + ROW_PX * at_most
