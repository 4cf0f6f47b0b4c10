"""An arm with two links: which angles of shoulder and elbow put the hand at a place? All of them, exactly.

The network (2-10-10-2) learnt where the hand is from the angles; it was trained by examples/train_arm.py.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exactrelu.batch import Asked, Question, records
from exactrelu.checking import check_with
from exactrelu.decimals import approximate, decimal_text
from exactrelu.domain import parse_domain
from exactrelu.network.readers import load
from exactrelu.points import read_points
from exactrelu.regions import regions
from exactrelu.regions.drawing.plot import save_plot
from exactrelu.regions.record import regions_record
from exactrelu.report import report
from exactrelu.result_folder import ResultFolder
from exactrelu.results import Envelope, assumptions, describe_data, layer_records, printable, speaks_of
from exactrelu.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exactrelu.network.model import Network
    from exactrelu.points import Points

MODEL, PLACES = (Path(__file__).with_name(name) for name in ("arm.onnx", "arm.csv"))
_ANGLES = "box:-5/2,5/2"
_MOST_SOLUTIONS = 8
HEAD = """\
A network (2-10-10-2) that knows an arm of two links: from the angles of shoulder and elbow to the place of the hand.
Which angles, of all within 5/2 radians, put the hand exactly there?
"""


def run_arm(folder: Path, advance: Callable[[], None]) -> int:
    """Ask for all pre-images of some places, write certificates, regions and a report to the folder, print; returns the exit code."""
    begin = time.perf_counter()
    model = load(MODEL)
    points = read_points(PLACES, shape=(model.outputs,), inputs=model.outputs)
    written = ResultFolder(folder, model, MODEL.stem, data := describe_data(PLACES, points, "output", (model.outputs,)))
    found = _ask(model, points, data, written, advance)
    print(HEAD)
    rows = [
        [", ".join(points.rows[row].texts()), record["cardinality"], *map(_shown, solution)]
        for row, record in enumerate(found)
        for solution in record["solutions"] or [("", "")]
    ]
    print(table(["the hand", "pre-image", "shoulder", "elbow"], rows))
    _draw(model, written)
    seconds = time.perf_counter() - begin
    checked = check_with(["fast", "stdlib"], [folder], model)
    valid = sum(result.valid for result in checked.results)
    print(f"\n{len(found)} questions decided in {seconds:.1f} s; both checkers: {valid} of {len(checked.results)} certificates are valid")
    print(f"Certificates and a report: {printable(report(folder)[0].parent)}\n\n{speaks_of(MODEL, model)}")
    undecided = any("reached" in record for record in found)
    return checked.exit_code or (3 if undecided else 0)


def _ask(
    model: Network, points: Points, data: Mapping[str, Any], folder: ResultFolder, advance: Callable[[], None]
) -> list[dict[str, Any]]:
    envelope = Envelope("preimage", domain=_ANGLES)
    layer = model.layer_through("output")
    asked = Asked(layer, parse_domain(_ANGLES, model.inputs), through=True, named=folder.named(layer, through=True))
    found = []
    for record in records(Question(model, (asked,), "output", most_solutions=_MOST_SOLUTIONS), points, folder=folder):
        found.append(record)
        advance()
    about = {"layers": layer_records(model, [layer]), "data": data}
    folder.results(envelope.around(MODEL, model, assumptions(certified=True), **about, results=found))
    return found


def _shown(text: str) -> str:
    """An exact angle and its decimals."""
    return f"{text}, about {decimal_text(approximate(text))}" if text else ""


def _draw(model: Network, folder: ResultFolder) -> None:
    """The regions of the plane of angles, with their picture."""
    envelope = Envelope("regions", domain=_ANGLES)
    found = regions(model, domain=parse_domain(_ANGLES, model.inputs))
    picture = folder.path("regions", _ANGLES, ".svg")
    plot = {"file": str(picture), "sha256": save_plot(found, picture, colour="map", graph=True)}
    more = {"slice": None, "plot": plot, "uncertified": "the demo writes none for regions"}
    result = envelope.around(MODEL, model, assumptions(certified=True)[:1], **{**regions_record(found, model, through=None), **more})
    folder.results(result, folder.path("regions", _ANGLES, ".json").name)
