"""Singular values of linearisations read back from results of `stability`: each field checked before it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from exactrelu.errors import InvalidFileError
from exactrelu.report.bounds import Bounds, apart, read_bounds, read_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from exactrelu.report.fields import Checked

# Directions are kept of so many linearisations, to be shown as images.
DIRECTIONS_KEPT = 8
_ENDS = ("largest", "smallest")
# Fractions, roots and columns need no other characters, and these leave a block of code nowhere.
_LATEX = re.compile(r"[A-Za-z0-9 \\{}()\[\]_^&+./,;-]{1,100000}")


@dataclass(frozen=True)
class Spectrum:
    """What was proved of the singular values of one matrix, and the rank that floats report; None for what is not known.

    `sigma` are all singular values, the largest first; `below` says how many are below a threshold, at least and at most.
    """

    rank: int | None
    rank_bounds: tuple[int, int]
    numeric_rank: int | None
    agrees: bool | None
    sigma_max: Bounds
    sigma_min: Bounds | None
    condition: Bounds | None
    sigma: tuple[Bounds, ...]
    below: Mapping[str, tuple[int, int]]


class Kind(NamedTuple):
    """What was asked about: the network up to each layer (`composed`), or layers alone; floats of what type on what device."""

    composed: bool
    dtype: str
    device: str


@dataclass(frozen=True)
class Linearisation:
    """That at one input through one layer, before and after the layer's relu.

    `distance` is that from the input to the boundary of its region; `last_upper` an upper bound of the last of as many singular values as
    inputs, where no matrix was formed; `removed` has outputs that the relu removes, and what the smallest non-zero singular value is at
    most because of each; `directions` are of the inputs, by `largest` and `smallest`; `formulas` the map and its exact singular values,
    as LaTeX.
    """

    row: int
    layer: int
    name: str
    kind: Kind
    active: int
    after: Spectrum
    before: Spectrum | None
    distance: Bounds | None
    last_upper: str | None
    removed: tuple[tuple[int, str], ...]
    directions: Mapping[str, tuple[str, ...]] | None
    formulas: tuple[str, ...]


@dataclass(frozen=True)
class InverseBound:
    """Whether a layer is injective on all of its inputs, and the Lipschitz constant of its inverse at most."""

    layer: int
    verdict: str
    upper: str | None


class StabilityReader:
    """Collects what the results of one file after another say."""

    def __init__(self) -> None:
        self._found: dict[tuple[Kind, int, int], Linearisation] = {}
        self._inverse: dict[int, InverseBound] = {}
        self._directions = 0

    def add(self, path: Path, check: Checked, found: Mapping[str, Any]) -> None:
        """Take in one result; raises InvalidFileError where a field is not what it should be, or contradicts the results before it."""
        for record in check.list(found, "results"):
            check.mapping(record, "results")
            now = self._linearisation(check, record)
            key = (now.kind, now.layer, now.row)
            held = self._found.get(key)
            if held is not None and _contradict(held.after, now.after):
                raise InvalidFileError(
                    f"{path} contradicts the results before it: the rank or the largest singular value of row {now.row}, layer"
                    f" {now.layer}, is another there; one of the files was changed"
                )
            if held is None or (held.after.rank is None and now.after.rank is not None):
                self._found[key] = now
        if found.get("inverse") is not None:
            bound = _inverse(check, found)
            self._inverse[bound.layer] = bound

    def results(self) -> tuple[Linearisation, ...]:
        """All linearisations: the network's before those of layers alone, by layer and by row."""
        return tuple(one for _, one in sorted(self._found.items(), key=lambda item: (not item[0][0].composed, *item[0])))

    def inverses(self) -> tuple[InverseBound, ...]:
        return tuple(one for _, one in sorted(self._inverse.items()))

    def _linearisation(self, check: Checked, record: Mapping[str, Any]) -> Linearisation:
        before, boundary, free = (record.get(word) for word in ("before", "boundary", "matrix_free"))
        for word, value in (("before", before), ("boundary", boundary), ("matrix_free", free)):
            if value is not None:
                check.mapping(value, word)
        directions = None
        if record.get("directions") is not None and self._directions < DIRECTIONS_KEPT:
            directions = _directions(check, record["directions"])
            self._directions += 1
        return Linearisation(
            row=check.number(record, "row", least=0),
            layer=check.number(record, "layer", least=1),
            name=check.text(record, "name"),
            kind=Kind(check.boolean(record, "composed"), check.text(record, "dtype"), check.text(record, "device")),
            active=check.number(record, "active", least=0),
            after=_spectrum(check, record),
            before=None if before is None else _spectrum(check, before),
            distance=None if boundary is None else read_bounds(check, boundary.get("distance"), "distance"),
            last_upper=None if free is None else read_decimal(check, free.get("last_upper"), "last_upper"),
            removed=_removed(check, record),
            directions=directions,
            formulas=_formulas(check, record.get("latex")),
        )


def _spectrum(check: Checked, found: Mapping[str, Any]) -> Spectrum:
    exact, numeric = (check.optional(found, word, least=0) for word in ("rank", "numeric_rank"))
    limits = check.list(found, "rank_bounds")
    if len(limits) != 2:
        check.refuse("rank_bounds", "is not a pair")
    low, high = (check.number({"rank_bounds": limit}, "rank_bounds", least=0) for limit in limits)
    if low > high or (exact is not None and not low == exact == high):
        check.refuse("rank_bounds", "does not fit the rank")
    agrees = None if found.get("agrees") is None else check.boolean(found, "agrees")
    possible = numeric is None or low <= numeric <= high
    if agrees != (None if numeric is None or (possible and exact is None) else possible):
        check.refuse("agrees", "does not fit the two ranks")
    return Spectrum(
        rank=exact,
        rank_bounds=(low, high),
        numeric_rank=numeric,
        agrees=agrees,
        sigma_max=read_bounds(check, found.get("sigma_max"), "sigma_max"),
        sigma_min=_optional(check, found, "sigma_min"),
        condition=_optional(check, found, "condition"),
        sigma=() if found.get("sigma") is None else tuple(read_bounds(check, pair, "sigma") for pair in check.list(found, "sigma")),
        below=_below(check, found.get("below")),
    )


def _optional(check: Checked, found: Mapping[str, Any], field: str) -> Bounds | None:
    return None if found.get(field) is None else read_bounds(check, found[field], field)


def _below(check: Checked, value: Any) -> Mapping[str, tuple[int, int]]:
    check.mapping(value, "below")
    counts = {}
    for threshold, pair in value.items():
        if not isinstance(pair, list) or len(pair) != 2:
            check.refuse("below", "is not a pair of counts for each threshold")
        least, most = (check.number({"below": count}, "below", least=0) for count in pair)
        counts[check.vector([threshold], "below")[0]] = (least, most)
    return counts


def _removed(check: Checked, record: Mapping[str, Any]) -> tuple[tuple[int, str], ...]:
    rows = []
    for one in check.list(record, "removed") if record.get("removed") is not None else []:
        check.mapping(one, "removed")
        rows.append((check.number(one, "row", least=0), read_decimal(check, one.get("sigma_min_upper"), "sigma_min_upper")))
    return tuple(rows)


def _directions(check: Checked, value: Any) -> Mapping[str, tuple[str, ...]]:
    check.mapping(value, "directions")
    return {word: check.vector(value.get(word), "directions") for word in _ENDS}


def _formulas(check: Checked, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    check.mapping(value, "latex")
    found = tuple(text for word in ("map", "singular_values") if (text := value.get(word)) is not None)
    if not all(isinstance(text, str) and _LATEX.fullmatch(text) for text in found):
        check.refuse("latex", "holds what is not a formula of exactrelu")
    return found


def _inverse(check: Checked, found: Mapping[str, Any]) -> InverseBound:
    value, layers = found["inverse"], check.list(found, "layers")
    check.mapping(value, "inverse")
    if len(layers) != 1:
        check.refuse("inverse", "is not about one layer")
    check.mapping(layers[0], "layers")
    verdict, upper = check.text(value, "verdict"), value.get("inverse_lipschitz_upper")
    if verdict not in {"injective", "not-injective", "undecided"}:
        check.refuse("verdict", "is none of the words that exactrelu uses")
    number = check.number(layers[0], "layer", least=1)
    return InverseBound(number, verdict, None if upper is None else read_decimal(check, upper, "inverse_lipschitz_upper"))


def _contradict(one: Spectrum, other: Spectrum) -> bool:
    """Whether proved statements about one matrix cannot both be true."""
    ranks = max(one.rank_bounds[0], other.rank_bounds[0]) > min(one.rank_bounds[1], other.rank_bounds[1])
    return ranks or apart(one.sigma_max, other.sigma_max)
