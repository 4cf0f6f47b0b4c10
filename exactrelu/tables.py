"""Results for people: aligned tables and sentences. Nothing is computed here."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from exactrelu.decimals import approximate, bound_text, decimal_text
from exactrelu.exact.rational import parse_rational
from exactrelu.results import layer_records, printable
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exactrelu.network.model import Network

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
            _cardinality(record),
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


def _cardinality(record: Mapping[str, Any]) -> str:
    word: str = record["cardinality"]
    return f"{word}, {record['points']} points" if word == Cardinality.FINITE.value else word


def _witness(record: Mapping[str, Any]) -> str | None:
    witness = record["witness"]
    if witness is None:
        return None
    return "ray" if "ray" in witness else "second point"


def injectivity_report(about: str, inputs: int, result: Mapping[str, Any]) -> str:
    """The verdict in words: what two inputs with one output have in common and how far apart they are, and the margins of a layer."""
    lines = [f"{about}, domain {printable(result['domain'])}", f"{result['verdict']} ({result['method']})"]
    if result["collision"] is not None:
        lines.append(_collision(inputs, result["collision"]))
    if result.get("float32") is not None:
        lines.append(_float32(result["float32"]))
    if result["progress"]:
        lines.append(result["progress"])
    if result["uncertified"]:
        lines.append(f"no certificate: {result['uncertified']}")
    if result["inverse_lipschitz_upper"] is not None:
        lines.append(f"two inputs are at most {result['inverse_lipschitz_upper']} times as far apart as their outputs")
    if result.get("bias_margin") is not None:
        lines.append(_bias_margin(result["bias_margin"]))
    if result.get("largest_box") is not None:
        lines.append(_largest_box(result["largest_box"]))
    return "\n".join(lines)


def _collision(inputs: int, pair: Mapping[str, Any]) -> str:
    changed = [abs(approximate(x) - approximate(y)) for x, y in zip(pair["x"], pair["y"], strict=True) if x != y]
    positive = sum(approximate(value) > 0 for value in pair["value"])
    return (
        f"two inputs that differ in {len(changed)} of {inputs} coordinates, by up to {decimal_text(max(changed), digits=3)}, have "
        f"exactly the same output, {positive} values of which are positive; --json gives them"
    )


def _float32(pair: Mapping[str, Any]) -> str:
    """What a program in floats makes of the two inputs."""
    if pair["outputs_equal"] is None:
        return f"rounded to float32, not evaluated: {printable(pair['note'])}"
    same = "the same output" if pair["outputs_equal"] else f"outputs that differ by up to {pair['largest_difference']}"
    return f"rounded to float32, {printable(pair['evaluated_by'])} gives them {same}"


def _bias_margin(margin: Mapping[str, Any]) -> str:
    if margin["infinite"] is not None:
        return f"{'injective' if margin['infinite'] == 'plus' else 'not injective'} whatever is added to the biases of all rows with a relu"
    value, low, high = (margin[word] for word in ("value", "low", "high"))
    if value is not None:
        lowered = approximate(value) >= 0
        by = f"{'lowered' if lowered else 'raised'} by about {decimal_text(abs(approximate(value)))}"
        return f"injective as long as all biases are {by} or {'less' if lowered else 'more'}, exactly {_short(value)}"
    # Rounded to the side on which what is said of them still holds.
    found = [] if low is None else [f"injective with all biases {_moved(bound_text(low, 'down'))}"]
    found += [] if high is None else [f"not injective with all biases {_moved(bound_text(high, 'up'), 'more than ', 'less than ')}"]
    return ", ".join(found) or "how far the biases can be moved was not found"


def _moved(by: str, more: str = "", less: str = "") -> str:
    return f"raised by {less}{by.removeprefix('-')}" if by.startswith("-") else f"lowered by {more}{by}"


def _largest_box(box: Mapping[str, Any]) -> str:
    beyond = ", not tried beyond" if box["outer"] is None else f", not by {bound_text(box['outer'], 'up')}"
    return f"injective on the box around the points scaled by {bound_text(box['inner'], 'down')}{beyond}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}.. ({len(text)} digits; --json gives it)"


def comparison_report(result: Mapping[str, Any]) -> str:
    """Whether two networks are one function, in words."""
    lines = [f"{printable(result['network']['file'])} and {printable(result['other']['file'])}, domain {printable(result['domain'])}"]
    lines.append(f"{result['verdict']} ({result['method']})")
    if result["outputs"] is not None:
        first, second = ([approximate(value) for value in output] for output in result["outputs"])
        largest = decimal_text(max(abs(a - b) for a, b in zip(first, second, strict=True)), digits=3)
        lines.append(f"an input on which they differ, by up to {largest}; --json gives it")
    return "\n".join([*lines, *([result["progress"]] if result["progress"] else [])])


def regions_report(record: Mapping[str, Any], domain: str) -> str:
    """The counts and the statistics in words."""
    from exactrelu.regions.topology import topology_text

    held = record["statistics"]
    part = "the network" if record["through"] is None else f"the network through layer {record['through']}"
    where = "" if record["slice"] is None else f", on the slice through the points of {printable(record['slice']['file'])}"
    numbers = [
        (record["regions"], f"regions, {record['bounded_regions']} of them bounded"),
        (record["adjacencies"], "pairs of regions that share a facet"),
        (record["vertices"], "vertices"),
        (held["linear_pieces"], "linear pieces: connected parts with one affine map"),
        (held["degree_max"], f"neighbours of a region at most, {float(approximate(held['degree_mean'] or '0')):.2f} on average"),
        (held["diameter"], "walls at most from one region to another (diameter)"),
    ]
    if record["complete"]:
        numbers.append((len(held["dead_neurons"]), f"of {record['neurons']} neurons are positive nowhere"))
        numbers.append((len(held["always_active_neurons"]), "are positive everywhere"))
    width = max(len(str(number)) for number, _ in numbers)
    lines = [f"{str(number).rjust(width)}  {words}" for number, words in numbers if number is not None]
    if record["topology"] is not None:
        lines += ["", topology_text(record["topology"])]
    if record["progress"] is None:
        state = "These are all regions."
    else:
        state = f"Not complete: {record['progress']}; there are at least as many. Give a larger --time-limit or --limit."
    if record["uncertified"] is not None:
        state += f"\nno certificate: {record['uncertified']}"
    return "\n".join([f"{part}, domain {printable(domain)}{where}", *lines, "", state])


def counts(records: Sequence[Mapping[str, Any]]) -> str:
    """How often each cardinality occurs, as one line.

    >>> counts([{"cardinality": "singleton"}, {"cardinality": "bounded"}, {"cardinality": "singleton"}])
    '3 pre-images: 2 singleton, 1 bounded'
    """
    found = Counter(record["cardinality"] for record in records)
    words = ", ".join(f"{found[word.value]} {word.value}" for word in Cardinality if found[word.value])
    return f"{len(records)} pre-image{'s' * (len(records) != 1)}: {words or 'none'}"


def stability_report(records: Sequence[Mapping[str, Any]]) -> str:
    """The first rows as a table, the disagreements, and what the columns say."""
    header = ["row", "layer", "active", "rank", "float rank", "largest", "smallest", "condition", "to boundary", "seconds"]
    lines = [
        [
            record["row"],
            record["layer"],
            record["active"],
            record["rank"],
            record["numeric_rank"],
            _ends(record["sigma_max"]),
            _ends(record["sigma_min"]),
            _ends(record["condition"]),
            _ends(record["boundary"] and record["boundary"]["distance"]),
            f"{record['seconds']:.2f}",
        ]
        for record in records[:ROWS_SHOWN]
    ]
    parts = [table(header, lines)]
    if len(records) > len(lines):
        parts.append(f".. and {len(records) - len(lines)} more; --json or --out FOLDER give all")
    compared = [
        (record, found, where)
        for record in records
        for found, where in ((record, ""), (record["before"], ", before its relu"))
        if found is not None and found["agrees"] is not None
    ]
    wrong = [
        f"row {record['row']}, layer {record['layer']}{where}: floats report rank {found['numeric_rank']}, but it is "
        + " to ".join(map(str, sorted(set(found["rank_bounds"]))))
        for record, found, where in compared
        if not found["agrees"]
    ]
    parts.extend(wrong[:ROWS_SHOWN])
    parts.append(
        f"{len(compared) - len(wrong)} of {len(compared)} numerical ranks agree with the exact ones; singular values are rounded here, "
        "--json gives proved bounds of each"
    )
    return "\n".join(parts)


def _ends(bounds: Sequence[str | None] | None) -> str | None:
    """Both ends to four digits, or one number where these agree."""
    if bounds is None:
        return None
    low, high = (None if end is None else decimal_text(parse_rational(end)) for end in bounds)
    return low if low == high else f"{low} to {'infinity' if high is None else high}"
