"""The valid certificates of proofs/corpus with the claims that a checker must print, and builders of networks and certificates."""

from __future__ import annotations

import hashlib
import io
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from exactrelu.checker.network import read_network
from exactrelu.checker.text import Rejected, Text
from exactrelu.checker.verify import verify

if TYPE_CHECKING:
    from exactrelu.checker.arithmetic import Kernels

PRIME = "7fffffff"
CORPUS = Path(__file__).resolve().parents[2] / "proofs" / "corpus"


class Sample(NamedTuple):
    name: str
    network: str
    text: str
    claim: str


def verdicts(folder: str) -> dict[str, str]:
    """The index of a folder of the corpus: what is expected of each of its certificates."""
    return dict(line.split(": ", 1) for line in (CORPUS / folder / "VERDICTS").read_text().splitlines())


def digests() -> dict[str, str]:
    """What the list of digests says of every file of the corpus, in the form of sha256sum."""
    return dict(reversed(line.split("  ")) for line in (CORPUS / "SHA256SUMS").read_text().splitlines())


def valid_corpus() -> list[Sample]:
    for name, digest in digests().items():
        same = (CORPUS / name).is_file() and hashlib.sha256((CORPUS / name).read_bytes()).hexdigest() == digest
        assert same, f"proofs/corpus/{name} has changed or gone: what is there stays as it is; put it back, and add a new file instead"
    networks = {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_text() for path in (CORPUS / "valid").glob("*.network")}
    samples = []
    for name, claim in verdicts("valid").items():
        text = (CORPUS / "valid" / f"{name}.certificate").read_text()
        samples.append(Sample(name, networks[text.splitlines()[1].split(" ")[1]], text, claim))
    return samples


def normal_row(constant: Fraction | float, coefficients: list[Fraction | int | float]) -> str:
    """A row of dyadic numbers in the normal form of section 2."""
    values = [Fraction(value) for value in [constant, *coefficients]]
    scale = max(value.denominator for value in values)
    integers = [int(value * scale) for value in values]
    exponent = 1 - scale.bit_length()
    if not any(integers):
        exponent = 0
    while any(integers) and all(value % 2 == 0 for value in integers):
        integers, exponent = [value // 2 for value in integers], exponent + 1
    return "row " + " ".join(format(value, "x") for value in [exponent, *integers])


def network(inputs: int, *layers: tuple[str, list[list[Fraction | int | float]]]) -> str:
    """A network file; a layer is its relu field and its rows [b, a1, ..]."""
    lines = ["exactrelu-network 1", "convention exact-1", f"input {inputs:x}"]
    for relu, rows in layers:
        lines.append(f"layer {inputs:x} {len(rows):x} {relu}")
        lines += [normal_row(row[0], row[1:]) for row in rows]
        inputs = len(rows)
    return "\n".join([*lines, "end"]) + "\n"


def certificate(network_text: str, *lines: str) -> str:
    sha256 = hashlib.sha256(network_text.encode()).hexdigest()
    return "\n".join(["exactrelu-certificate 1", f"network {sha256}", *lines, "end"]) + "\n"


def verdict(network_text: str, certificate_text: str, kernels: Kernels) -> tuple[bool, str]:
    """(True, claim) or (False, reason), as a checker gives it for these two texts."""
    try:
        exact = read_network(io.BytesIO(network_text.encode()))
        text = Text(io.BytesIO(certificate_text.encode()))
        text.take("exactrelu-certificate 1", "3").done()
        named = text.take("network", "3")
        if named.sha256() != exact.sha256:
            raise Rejected("3", "another network")
        named.done()
        return True, str(verify(text, exact, kernels))
    except Rejected as error:
        return False, str(error)


def header(domain: str = "all", subject: str = "input", *, layer: int = 1) -> list[str]:
    return ["data none", f"scope layer {layer:x}", *f"domain {domain}".split("|"), f"subject {subject}"]


TRIANGLE = network(2, ("all", [[0, 1, 0], [0, 0, 1], [0, -1, -1]]))
STRIP = network(2, ("all", [[0, 1, 0], [0, -1, 0]]))
HALF = network(2, ("all", [[-1, 1, 0]]))
COPIES = network(2, ("all", [[0, 1, 2], [0, 2, 4], [1, 0, 0]]))
SUM = network(2, ("all", [[1, 1, 1]]))
CORNER = network(3, ("all", [[0, 1, 1, 0]]))
SQUARE = network(2, ("all", [[0, 1, 0]]))

SAMPLES = valid_corpus()
