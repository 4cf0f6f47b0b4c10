"""Results for others: the JSON objects that scripts rely on, aligned tables for people, and the folder that both go to.

Nothing is computed here; a result says what it speaks of.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from exactrelu import __version__
from exactrelu.certificate import write_text
from exactrelu.errors import ExactReluError, InvalidRequestError
from exactrelu.exact.rational import format_rational, parse_rational
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.exact_file import write_network
from exactrelu.points import read_bytes
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.points import Points

FORMAT = 1
ROWS_SHOWN = 20
RESULT_BYTES = 2**28
# Above so many weights in sparse layers, certificates name a file of their layer alone, which a checker reads in seconds.
MOST_SHARED = 2**22


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


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows under a header: columns that hold a number are aligned to the right, a missing value is shown as -.

    >>> print(table(["layer", "name"], [[1, "first"], [12, None]]))
    layer  name
        1  first
       12  -
    """
    columns = list(zip(header, *([printable(value) for value in row] for row in rows), strict=True))
    return "\n".join("  ".join(line).rstrip() for line in zip(*map(_aligned, columns), strict=True))


def printable(value: Any) -> str:
    """A value as printable text: a name of a layer or a file may hold anything."""
    text = "-" if value is None else str(value)
    return text if text.isprintable() else ascii(text)


def _aligned(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    numeric = any(text.replace(".", "").isdigit() for text in column[1:])
    return [text.rjust(width) if numeric else text.ljust(width) for text in column]


def info_table(network: Network) -> str:
    """The layers of a network as `info` prints them."""
    header = ["layer", "name", "inputs", "outputs", "rectified", "bits"]
    return table(header, ([record[word] for word in header] for record in layer_records(network)))


def preimage_report(network: Network, records: Sequence[Mapping[str, Any]]) -> str:
    """The first rows of every layer, how often each cardinality occurs, and what each of these words means."""
    parts = []
    composed = [record for record in records if record["layer"] is None]
    if composed:
        title = f"the network from its {network.inputs} inputs through layer {composed[0]['through']}"
        parts.append(f"{title}\n{_layer_table(composed)}\n{counts(composed)}")
    for layer in network.source_layers:
        own = [record for record in records if record["layer"] == layer.number]
        if own:
            title = f"layer {layer.number} ({printable(layer.name)}), {layer.inputs} inputs, {layer.outputs} outputs"
            parts.append(f"{title}\n{_layer_table(own)}\n{counts(own)}")
    met = [word for word in Cardinality if any(record["cardinality"] == word.value for record in records)]
    width = max((len(word.value) for word in met), default=0)
    parts.append("\n".join(f"{word.value.ljust(width)}  {word.sentence}" for word in met))
    reached = sorted({record["reached"] for record in records if record.get("reached")})
    parts.extend(f"not finished: {reason}" for reason in reached)
    without = sorted({record["uncertified"] for record in records if record.get("uncertified")})
    parts.extend(f"no certificate: {reason}" for reason in without)
    return "\n\n".join(part for part in parts if part)


def _layer_table(records: Sequence[Mapping[str, Any]]) -> str:
    header = ["row", "cardinality", "dimension", "active", "rank", "witness", "seconds"]
    rows = [
        [
            record["row"],
            record["cardinality"],
            record["dimension"],
            record["active"],
            record["rank"],
            _witness(record),
            f"{record['seconds']:.3f}",
        ]
        for record in records[:ROWS_SHOWN]
    ]
    more = len(records) - len(rows)
    return table(header, rows) + (f"\n.. and {more} more rows; --json or --out FOLDER give all" if more else "")


def _witness(record: Mapping[str, Any]) -> str | None:
    witness = record["witness"]
    if witness is None:
        return None
    return "ray" if "ray" in witness else "second point"


def injectivity_report(layer: SourceLayer, result: Mapping[str, Any]) -> str:
    """The verdict on a layer in words, with what two inputs with one output have in common and how far apart they are."""
    about = f"layer {layer.number} ({printable(layer.name)}), {layer.inputs} inputs, {layer.outputs} outputs"
    lines = [f"{about}, domain {printable(result['domain'])}", f"{result['verdict']} ({result['method']})"]
    pair = result["collision"]
    if pair is not None:
        x, y = ([parse_rational(value) for value in pair[word]] for word in ("x", "y"))
        changed = [abs(a - b) for a, b in zip(x, y, strict=True) if a != b]
        positive = sum(parse_rational(value) > 0 for value in pair["value"])
        lines.append(
            f"two inputs that differ in {len(changed)} of {layer.inputs} coordinates, by up to {float(max(changed)):.3g}, have exactly the "
            f"same output, {positive} values of which are positive; --json gives them"
        )
    if result["progress"]:
        lines.append(result["progress"])
    return "\n".join(lines)


def counts(records: Sequence[Mapping[str, Any]]) -> str:
    """How often each cardinality occurs, as one line.

    >>> counts([{"cardinality": "singleton"}, {"cardinality": "bounded"}, {"cardinality": "singleton"}])
    '3 pre-images: 2 singleton, 1 bounded'
    """
    found = Counter(record["cardinality"] for record in records)
    words = ", ".join(f"{found[word.value]} {word.value}" for word in Cardinality if found[word.value])
    return f"{len(records)} pre-image{'s' * (len(records) != 1)}: {words or 'none'}"


class Named(NamedTuple):
    """How certificates name what they speak of: a network file by its SHA-256, and a layer in it by its number.

    `alone` says that the file is not that of the whole network but of the layer alone, so that points are inputs of the layer.
    """

    sha256: str
    number: int
    alone: bool = False


class ResultFolder:
    """A folder with network files, one certificate a row and layer, and `results.json`; each file appears whole or not at all.

    data: what `describe_data` gives, where there are points. Raises InvalidRequestError where the folder cannot be made or written,
    or already has results about another network or other points, which these would in part replace.
    """

    def __init__(self, folder: Path, network: Network, stem: str, data: Mapping[str, Any] | None = None) -> None:
        self._folder = folder
        self._network = network
        self._stem = stem[:80]
        self._written: dict[str, str] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refusal(error) from None
        sha256 = network.sources[0].sha256 if network.sources else None
        about = (sha256,) if data is None else (sha256, data["sha256"], data["scale"], data["subject"])
        for path in sorted(folder.glob("results*.json")):
            earlier = _read(path)
            if earlier and _about(earlier)[: len(about)] != about:
                raise InvalidRequestError(f"{path} has results about another network or other points; give another folder to --out")

    def named(self, layer: SourceLayer, *, through: bool = False) -> Named:
        """How certificates name a layer, or the network `through` it; writes the network file that they refer to.

        A layer that is not one of the network's own lowered layers, or whose network is large, has a file of its own.
        """
        network = self._network
        if through:
            part = network.up_to(layer)
            if part.is_prefix(network):
                return Named(self._network_file(network, self._stem), len(part.layers))
            return Named(self._network_file(part, f"{self._stem}.through{layer.number}"), len(part.layers))
        plain = layer.select is None and layer.affine is None and len(layer.stages) == 1
        if plain and _sparse_weights(network) <= MOST_SHARED:
            return Named(self._network_file(network, self._stem), layer.depth + 1)
        alone = network.alone(layer)
        return Named(self._network_file(alone, f"{self._stem}.layer{layer.number}"), len(alone.layers), alone=True)

    def _network_file(self, network: Network, stem: str) -> str:
        if stem not in self._written:
            try:
                self._written[stem] = write_network(network, self._folder / f"{stem}.network")
            except OSError as error:
                raise self._refusal(error) from None
        return self._written[stem]

    def certificate(self, record: Mapping[str, Any], domain: str, text: str) -> str:
        """Write the certificate of a row, layer and domain and return its path."""
        where = f"through{record['through']}" if record["layer"] is None else f"layer{record['layer']}"
        return self._write(f"{where}-{_file_word(domain)}-row{record['row']:05d}.certificate", text)

    def answer(self, name: str, domain: str, result: Mapping[str, Any], text: str | None) -> tuple[str, str | None]:
        """Write the JSON object of one answer and its certificate, named by the question and the domain; return their paths."""
        stem = f"{name}-{_file_word(domain)}"
        written = None if text is None else self._write(f"{stem}.certificate", text)
        return self._write(f"{stem}.json", json_text({**result, "certificate": written}) + "\n"), written

    def results(self, result: Mapping[str, Any], name: str | None = None) -> str:
        """Write the JSON object and return its path.

        Without a name that is `results.json`, or where this answers another question, a name made of the question.
        """
        if name is None:
            name, own = "results.json", _asked(result)
            if (self._folder / name).exists() and _asked(_read(self._folder / name)) != own:
                layers = own[1][0] if len(own[1]) == 1 else "layers"
                name = f"results-{layers}-{_file_word(own[0])}.json"
        return self._write(name, json_text(result) + "\n")

    def _write(self, name: str, text: str) -> str:
        try:
            write_text(self._folder / name, text)
        except OSError as error:
            raise self._refusal(error) from None
        return str(self._folder / name)

    def _refusal(self, error: OSError) -> InvalidRequestError:
        return InvalidRequestError(f"{self._folder} cannot be written: {error.strerror or error}; choose another folder or make room")


def _read(path: Path) -> Mapping[str, Any]:
    """A results file, or nothing where it is none."""
    try:
        found = json.loads(read_bytes(path, RESULT_BYTES))
    except (ExactReluError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _about(result: Mapping[str, Any]) -> tuple[Any, ...]:
    """The network and the points that a result is about."""
    network, data = (value if isinstance(value := result.get(word), dict) else {} for word in ("network", "data"))
    return (network.get("sha256"), *(data.get(word) for word in ("sha256", "scale", "subject")))


def _asked(result: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The domain, and the layers that a result has answers for."""
    found = result.get("results")
    records = [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []
    layers = {f"through{record.get('through')}" if record.get("layer") is None else f"layer{record['layer']}" for record in records}
    return str(result.get("domain")), sorted(layers)


def _file_word(domain: str) -> str:
    """A domain, as the command line has it, as part of a file's name.

    >>> _file_word("all"), _file_word("box:0,1/2"), _file_word("polytope:up/cube.json")
    ('all', 'box-0,1_2', 'polytope-up_cube.json')
    """
    return re.sub(r"[^A-Za-z0-9.,-]", "_", domain.replace(":", "-", 1))[:60]


def _sparse_weights(network: Network) -> int:
    return sum(layer.stored.entries for layer in network.layers if isinstance(layer.stored, SparseMatrix))
