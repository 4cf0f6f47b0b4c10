"""Results for people: aligned tables and sentences. Nothing is computed here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from exactrelu.exact.rational import parse_rational
from exactrelu.results import layer_records, printable
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exactrelu.network.model import Network, SourceLayer

ROWS_SHOWN = 20


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows under a header: columns that hold a number are aligned to the right, a missing value is shown as -.

    >>> print(table(["layer", "name"], [[1, "first"], [12, None]]))
    layer  name
        1  first
       12  -
    """
    columns = list(zip(header, *([printable(value) for value in row] for row in rows), strict=True))
    return "\n".join("  ".join(line).rstrip() for line in zip(*map(_aligned, columns), strict=True))


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
