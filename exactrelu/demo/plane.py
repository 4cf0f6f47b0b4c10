"""The plane through three of the demo's images: the regions that it is cut into, how they meet, and their picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.domain import parse_domain
from exactrelu.points import read_points
from exactrelu.regions import AffineSlice, regions
from exactrelu.regions.drawing.plot import save_plot
from exactrelu.regions.record import regions_record
from exactrelu.regions.topology import topology_text
from exactrelu.results import Envelope, assumptions, describe_data, printable

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from exactrelu.network.model import Network
    from exactrelu.result_folder import ResultFolder

# An image of a 4, of a 7 and of a 1.
CORNERS = (1, 8, 2)


def plane_of_images(model: Network, file: Path, images: Path, scale: Fraction, domain: str, folder: ResultFolder) -> str:
    """The regions of a network on the plane through three images of a file, within a domain: written to the folder, and in words."""
    envelope = Envelope("regions", domain=domain)
    points = read_points(images, shape=model.input_shape, inputs=model.inputs, scale=scale)
    corners = [points.rows[row] for row in CORNERS]
    found = regions(model, affine_slice=AffineSlice.through(corners), domain=parse_domain(domain, model.inputs))
    picture = folder.path("regions-slice", domain, ".svg")
    about = {
        "slice": describe_data(images, points, "input", model.input_shape),
        "plot": {"file": str(picture), "sha256": save_plot(found, picture, colour="output", boundary="decision")},
        "uncertified": "the demo writes none for regions",
    }
    record = regions_record(found, model, through=None, boundary="decision") | about
    result = envelope.around(file, model, assumptions(certified=True)[:1], **record)
    folder.results(result, folder.path("regions-slice", domain, ".json").name)
    return (
        f"the plane through three images, within the box of pixels, is cut into {found.regions} regions, {found.adjacencies} pairs of which"
        f" share a wall;\n{topology_text(record['topology'])}\nPicture: {printable(picture)}"
    )
