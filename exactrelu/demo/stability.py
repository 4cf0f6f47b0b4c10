"""How stable is the inverse at some of the demo's images: exact ranks beside those of floats, condition numbers with proved bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidRequestError
from exactrelu.report.bounds import Bounds
from exactrelu.results import Envelope, assumptions, layer_records
from exactrelu.stability import ROUNDING_NOTE, StabilityModel
from exactrelu.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from exactrelu.network.model import Network
    from exactrelu.points import Points
    from exactrelu.result_folder import ResultFolder

_IMAGES = 6
_SHOWN = 3
HEAD = "How stable is the inverse? The network through each layer is linear around an image; its singular values and its rank there:"


def stability_of_images(model: Network, file: Path, points: Points, data: Mapping[str, Any], folder: ResultFolder) -> str:
    """Singular values at the first images: written to the folder, and in words; without PyTorch, that it is missing."""
    envelope = Envelope("stability", domain="all")
    try:
        asked = StabilityModel(model, before=True)
    except InvalidRequestError as error:
        return f"How stable the inverse is was left out: {error}"
    chosen = list(zip(points.indices, points.rows, strict=True))[:_IMAGES]
    found = [one for row, x in chosen for one in asked.at(x, row)]
    records = [one.record(directions=one.layer == 1 and one.row == chosen[0][0]) for one in found]
    about = [*assumptions(certified=True)[:1], ROUNDING_NOTE]
    result = envelope.around(file, model, about, data=data, layers=layer_records(model, asked.sources), results=records)
    folder.results(result, "stability.json")
    header = ["image", "layer", "positive outputs", "exact rank", "float rank", "condition number"]
    rows = [
        [
            one.row,
            one.layer,
            one.active,
            one.after.exact_rank,
            record["numeric_rank"],
            record["condition"] and Bounds(*record["condition"]).text,
        ]
        for one, record in zip(found, records, strict=True)
        if one.row in points.indices[:_SHOWN]
    ]
    wrong = [record for record in records if record["agrees"] is False]
    said = [f"image {r['row']}, layer {r['layer']}: floats report rank {r['numeric_rank']}, but it is {r['rank']}" for r in wrong]
    said = said or [f"at none of {len(chosen)} images do floats report a wrong rank"]
    return "\n".join([HEAD, table(header, rows), *said])
