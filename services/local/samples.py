"""The datasets a new workspace offers: Bank Marketing as published, and a synthetic likeness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.domain import DataSource, SampleDataset, SourceKind
from services.errors import InvalidRequestError, NotFoundError, UnavailableError
from services.local import synthetic_bank

if TYPE_CHECKING:
    import pyarrow as pa

DOWNLOAD = SampleDataset(
    id="bank-marketing",
    name="Bank Marketing",
    title="Bank Marketing (download)",
    description=(
        "32,950 phone calls of a Portuguese bank, 20 features, label y: did the customer take "
        "the term deposit? Moro, Cortez, Rita (2014), UCI Machine Learning Repository, CC BY 4.0."
    ),
    needs_network=True,
    synthetic=False,
)
SYNTHETIC = SampleDataset(
    id="bank-marketing-synthetic",
    name="Bank Marketing (synthetic)",
    title="Bank Marketing (synthetic)",
    description=(
        "32,950 made-up rows with the same 21 columns, drawn from a seeded generator. No real "
        "customer is in them; a model trained on them says nothing about any bank."
    ),
    needs_network=False,
    synthetic=True,
)
SAMPLES = (DOWNLOAD, SYNTHETIC)

ADDRESS = (
    "https://automlsamplenotebookdata.blob.core.windows.net/"
    "automl-sample-notebook-data/bankmarketing_train.csv"
)
# Of the values, not of the file: copies in circulation differ in delimiter, decimal sign and
# line ends, and those do not matter. See `content_digest`.
CONTENT_SHA256 = "809865b3a5cd67995b57107cb5fa5d448b490bcfd37493c447a1f8669706d33e"


def sample(sample_id: str) -> SampleDataset:
    """
    Raises:
        NotFoundError: no sample has this id.
    """
    for each in SAMPLES:
        if each.id == sample_id:
            return each
    raise NotFoundError("sample dataset", sample_id)


def source(chosen: SampleDataset) -> DataSource:
    """Where the sample's rows come from. Synthetic ones are generated here and now."""
    if chosen.synthetic:
        content = synthetic_bank.frame().to_csv(index=False).encode()
        location = f"a generator, seed {synthetic_bank.SEED}"
        return DataSource(kind=SourceKind.UPLOAD, location=location, content=content)
    return DataSource(kind=SourceKind.URL, location=ADDRESS)


def unreachable(error: UnavailableError) -> UnavailableError:
    """What to say when the download fails: what happened, and what to take instead."""
    reason = str(error).rstrip(".")
    return UnavailableError(f"{reason}, so take “{SYNTHETIC.title}”, which needs no network.")


def check(chosen: SampleDataset, rows: pa.Table) -> None:
    """
    Raises:
        InvalidRequestError: the download does not hold the published rows.
    """
    if not chosen.synthetic and content_digest(rows) != CONTENT_SHA256:
        raise InvalidRequestError(
            f"{ADDRESS} does not hold the published Bank Marketing rows (their SHA-256 differs), "
            "so it was not registered."
        )


def content_digest(rows: pa.Table) -> str:
    """SHA-256 of a table's names and values, whatever file they came in.

    Column by column: the name, then numbers as little-endian 64-bit floats, or texts
    each followed by a zero byte. Row order counts.
    """
    import hashlib

    import pyarrow as pa

    digest = hashlib.sha256()
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        digest.update(name.encode() + b"\0")
        if pa.types.is_string(column.type):
            digest.update("".join(f"{value}\0" for value in column.to_pylist()).encode())
        else:
            digest.update(column.cast(pa.float64()).to_numpy().astype("<f8").tobytes())
    return digest.hexdigest()
