"""Results for scripts: the JSON objects that contract and tests fix, and the sentences that say what a result speaks of.

Nothing is computed here.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from exactrelu import __version__
from exactrelu.exact.rational import format_rational

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.points import Points

FORMAT = 1


class Envelope:
    """What every JSON object has; the clock for `seconds` starts when it is made.

    `domain` is the domain in the words of the command line, or None for a question without one.
    """

    def __init__(self, question: str, *, domain: str | None = None) -> None:
        self._question = question
        self._domain = domain
        self._begin = time.perf_counter()

    def around(self, path: Path | None, network: Network | None, assumes: Sequence[str], **answer: Any) -> dict[str, Any]:
        """The JSON object: the envelope, then the keys of `answer`; without a network its keys are null."""
        return {
            "exactrelu": __version__,
            "format": FORMAT,
            "question": self._question,
            "network": describe_network(path, network),
            "domain": self._domain,
            "assumes": [*assumes, *(network.assumes if network else ())],
            "seconds": round(time.perf_counter() - self._begin, 6),
            **answer,
        }


def describe_network(path: Path | None, network: Network | None) -> dict[str, Any]:
    """The `network` object: the file, the SHA-256 of its bytes, the numbers of inputs and outputs."""
    return {
        "file": None if path is None else str(path),
        "sha256": network.sources[0].sha256 if network else None,
        "inputs": network.inputs if network else None,
        "outputs": network.outputs if network else None,
    }


def describe_data(path: Path, points: Points, subject: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """The `data` object: the file of points, its SHA-256, the scale, what a point is, and the coordinates constant over the rows.

    subject: `input`, `layer-input` or `output`; shape: the shape of one point as the model has it.
    """
    return {
        "file": str(path),
        "sha256": points.sha256,
        "scale": format_rational(points.scale),
        "subject": subject,
        "shape": list(shape),
        "constant": {str(index): format_rational(value) for index, value in points.constant_coordinates().items()},
    }


def speaks_of(path: Path, network: Network) -> str:
    """The sentence that says what a verdict is about, and what was rounded to make the function exact."""
    return (
        f"A verdict speaks of the real-number function that the stored weights of {printable(path)} "
        f"(SHA-256 {network.sources[0].sha256}) define, evaluated without rounding."
        + "".join(f" {printable(sentence)}" for sentence in network.assumes)
    )


def assumptions(*, certified: bool) -> tuple[str, ...]:
    """What a verdict about a network rests on besides its proof."""
    reader = "The operators of the model file mean what this package's reader takes them to mean (convention exact-1)."
    if certified:
        return (reader, "The certificates have been written, not checked; `exactrelu check` checks them.")
    return (reader, "No certificate was written, so no checker has confirmed the verdicts; --out FOLDER writes certificates.")


def json_text(result: Mapping[str, Any]) -> str:
    """One JSON object as text, in ASCII, without nan or infinity."""
    return json.dumps(result, indent=1, allow_nan=False)


def layer_records(network: Network, layers: Iterable[SourceLayer] | None = None) -> list[dict[str, Any]]:
    """The `layers` of `info`, or those of the layers given."""
    return [
        {
            "layer": layer.number,
            "name": layer.name,
            "inputs": layer.inputs,
            "outputs": layer.outputs,
            "rectified": layer.rectified,
            "bits": layer.bits,
        }
        for layer in (network.source_layers if layers is None else layers)
    ]


def printable(value: Any) -> str:
    """A value as printable text: a name of a layer or a file may hold anything."""
    text = "-" if value is None else str(value)
    return text if text.isprintable() else ascii(text)
