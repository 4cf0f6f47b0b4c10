"""The main job on a network and images that the package ships: decide, certify, check, count by active outputs, show twins, report.

The network (64-96-64-10, float32) was trained by examples/train_digits.py; the images are test images of the UCI optical
digits, see NOTICE beside this file. Then its regions in a plane of images (`plane`), how stable its inverse is (`stability`), and finite
pre-images of a small network (`arm`).
"""

from __future__ import annotations

import time
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exactrelu.batch import Asked, Question, records
from exactrelu.checking import check_with
from exactrelu.demo.arm import run_arm
from exactrelu.demo.plane import plane_of_images
from exactrelu.demo.stability import stability_of_images
from exactrelu.domain import parse_domain
from exactrelu.injectivity import injectivity
from exactrelu.injectivity.collisions.float32_pair import float32_pair
from exactrelu.network.readers import load
from exactrelu.points import read_points
from exactrelu.report import report
from exactrelu.result_folder import ResultFolder
from exactrelu.results import Envelope, assumptions, describe_data, layer_records, printable, speaks_of
from exactrelu.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exactrelu.network.model import Network
    from exactrelu.points import Points

MODEL, IMAGES = (Path(__file__).with_name(name) for name in ("digits.onnx", "digits.npz"))
SCALE = Fraction(1, 16)
ASKED = {"all": (1, 2, 3), "box:0,1": (1,), "orthant": (2, 3)}
_PIXELS = "box:0,1"
BINS = (0, 40, 48, 56, 64)
HEAD = """\
A network that reads 8x8 digits (64 pixels, layers of 96, 64 and 10) and {images} test images.
For each image and layer: which inputs of the layer give exactly the output that this image gave?
"""
TAIL = """\
64 independent positive outputs determine the image. With fewer, the outputs at zero decide: they leave a bounded set of
other inputs, or an unbounded one. In the box of pixels most images are the only solution: a black pixel cannot get
blacker, and that is as good as a positive output.
"""


def run(folder: Path, advance: Callable[[], None], *, rows: str | None = None) -> int:
    """Run the demo (`rows` A:B of its images), write certificates to `folder` and print what came out; returns the exit code."""
    begin = time.perf_counter()
    model = load(MODEL)
    points = read_points(IMAGES, shape=model.input_shape, inputs=model.inputs, scale=SCALE, rows=rows)
    data = describe_data(IMAGES, points, "input", model.input_shape)
    written = ResultFolder(folder, model, MODEL.stem, data)
    print(HEAD.format(images=len(points.rows)))
    found = {domain: _ask(model, points, data, domain, written, advance) for domain in ASKED}
    decided = sum(map(len, found.values()))
    print(_first_layer(found))
    print(f"\n{TAIL}")
    print(_later_layers(found))
    print(f"\n{_twins(model, points, written)}")
    decided += 1
    advance()
    print(f"\n{plane_of_images(model, MODEL, IMAGES, SCALE, _PIXELS, written)}")
    advance()
    print(f"\n{decided} questions decided in {time.perf_counter() - begin:.1f} s, one certificate each in {folder}")

    code = 0
    for checker, name in (("fast", "fast checker"), ("stdlib", "standard library's checker")):
        begin = time.perf_counter()
        checked = check_with([checker], [folder], model)
        valid = sum(result.valid for result in checked.results)
        print(f"{name}: {valid} of {len(checked.results)} certificates are valid, {time.perf_counter() - begin:.1f} s")
        code = max(code, checked.exit_code)
    print(f"\n{stability_of_images(model, MODEL, points, data, written)}\n")
    # A report is about one network: the other one has a folder of its own.
    beside = folder.resolve()
    of_arm = run_arm(beside.parent / f"{beside.name}-arm", advance)
    print(f"\n{speaks_of(MODEL, model)}")
    print(f"Check again: exactrelu check {folder}    or with Python alone: python -m exactrelu.check {folder}")
    page, _ = report(folder)
    print(f"Report, a page for any browser: {printable(page)}")
    undecided = any("reached" in record for results in found.values() for record in results)
    return code or of_arm or (3 if undecided else 0)


def _ask(
    model: Network, points: Points, data: Mapping[str, Any], domain: str, folder: ResultFolder, advance: Callable[[], None]
) -> list[dict[str, Any]]:
    envelope = Envelope("preimage", domain=domain)
    layers = [model.layer(number) for number in ASKED[domain]]
    asked = tuple(Asked(layer, parse_domain(domain, layer.inputs), named=folder.named(layer)) for layer in layers)
    question = Question(model, asked, "input")
    found = []
    for record in records(question, points, folder=folder):
        found.append(record)
        advance()
    result = envelope.around(MODEL, model, assumptions(certified=True), layers=layer_records(model, layers), data=data, results=found)
    folder.results(result, f"results-{domain.partition(':')[0]}.json")
    return found


def _twins(model: Network, points: Points, folder: ResultFolder) -> str:
    """Whether layer 1 is injective on the box of pixels, with an image and another one that has the same features."""
    envelope = Envelope("injectivity", domain=_PIXELS)
    layer = model.layer(1)
    domain = parse_domain(_PIXELS, layer.inputs)
    found = injectivity(model, layer=1, domain=domain, points=points.rows)
    pair = found.collision
    assert pair is not None, "layer 1 of the demo's network is not injective on the box"
    named = folder.named(layer)
    text = found.certificate(network_sha256=named.sha256, layer_number=named.number, domain=domain).text()
    about = {"layers": layer_records(model, [layer]), "float32": float32_pair(model, layer, pair, domain, MODEL).record()}
    folder.answer(
        "injectivity-layer1", _PIXELS, envelope.around(MODEL, model, assumptions(certified=True), **{**found.record(), **about}), text
    )
    changes = [abs(a - b) for a, b in zip(pair.x.fractions(), pair.y.fractions(), strict=True)]
    image = f"image {points.indices[points.rows.index(pair.x)]}" if pair.x in points.rows else "one image"
    positive = sum(value > 0 for value in pair.value.numerators)
    return (
        f"layer 1 is not injective on the box of pixels: {image} and another one, which differs in {sum(map(bool, changes))} of its"
        f" {len(changes)} pixels\nby up to {float(max(changes)):.2f}, have exactly the same {len(pair.value)} features, {positive} of them"
        " positive"
    )


def _first_layer(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Layer 1: kinds of pre-image in all of R^64 and in the box, by the number of positive outputs."""
    columns = [("all", "singleton"), ("all", "bounded"), ("all", "unbounded"), ("box:0,1", "singleton"), ("box:0,1", "bounded")]
    counted: Counter[tuple[str, str, int]] = Counter(
        (domain, record["cardinality"], max(bound for bound in BINS if bound <= record["active"]))
        for domain in ("all", "box:0,1")
        for record in found[domain]
        if record["layer"] == 1
    )
    rows = [[label, *(counted[domain, word, low] for domain, word in columns)] for low, label in zip(BINS, _labels(), strict=True)]
    header = ["layer 1: positive outputs", "R^64: singleton", "bounded", "unbounded", "pixels in [0, 1]: singleton", "bounded"]
    return table(header, rows)


def _labels() -> list[str]:
    return [f"up to {BINS[1] - 1}", *(f"{low} to {high - 1}" for low, high in pairwise(BINS[1:])), f"from {BINS[-1]}"]


def _later_layers(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The other layers: how often each kind of pre-image occurs."""
    words = ("singleton", "bounded", "unbounded", "undecided")
    rows = []
    for layer, domain in ((2, "all"), (2, "orthant"), (3, "all"), (3, "orthant")):
        counted = Counter(record["cardinality"] for record in found[domain] if record["layer"] == layer)
        rows.append([f"layer {layer} in {'all of R^n' if domain == 'all' else 'the orthant'}", *(counted[word] for word in words)])
    return table(["later layers", *words], rows)
