"""Reading tabular files: CSV in its many dialects, and Parquet (pure).

`read` is the whole of it: bytes in, an Arrow table and what was found out come back, or an
`InvalidRequestError` that names the line and the reason.
"""

from __future__ import annotations

from services.tabular.reading import CONTENT_LIMIT_BYTES, Reading, read, read_text_rows

__all__ = ["CONTENT_LIMIT_BYTES", "Reading", "read", "read_text_rows"]
