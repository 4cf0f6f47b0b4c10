"""Answers to the question whether a layer is injective, read back from `injectivity*.json`: each field checked before it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exactrelu.report.fields import Checked

VERDICTS = ("injective", "not-injective", "undecided")
_DECIMAL = re.compile(r"[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,5})?")


class Twins(NamedTuple):
    """Two different inputs with exactly the same output, as texts "p/q"."""

    x: tuple[str, ...]
    y: tuple[str, ...]
    value: tuple[str, ...]


class Float32(NamedTuple):
    """What became of the two inputs in float32: see `exactrelu.injectivity.collisions.float32_pair.Float32Pair`."""

    distinct: bool
    inside: bool
    outputs_equal: bool | None
    largest_difference: str | None
    evaluated_by: str
    note: str


class Margin(NamedTuple):
    """By how much all biases may be lowered: exactly, or between two bounds of which each may be missing."""

    value: str | None
    low: str | None
    high: str | None
    infinite: str | None


class LargestBox(NamedTuple):
    """Scales of the box around given points: at the first it is injective, at the second not, as far as that is known."""

    inner: str
    outer: str | None


@dataclass(frozen=True)
class Injectivity:
    """The answer on one layer and domain; `layer` is None for a network. `certificate` is its size, -1 where it is named but not there."""

    layer: int | None
    name: str
    inputs: int | None
    outputs: int | None
    domain: str
    verdict: str
    method: str
    progress: str
    collision: Twins | None
    float32: Float32 | None
    inverse_lipschitz_upper: str | None
    bias_margin: Margin | None
    largest_box: LargestBox | None
    certificate: int | None

    @property
    def about(self) -> str:
        """What was asked about, in two words."""
        return "the network" if self.layer is None else f"layer {self.layer}"

    @property
    def takes_images(self) -> bool:
        """Whether its inputs are those of the network."""
        return self.layer in {1, None}


def read_injectivity(check: Checked, found: Mapping[str, Any], certificate: int | None) -> Injectivity:
    """The answer that a results file holds; raises InvalidFileError for a field that is not what it should be."""
    verdict = check.text(found, "verdict")
    if verdict not in VERDICTS:
        check.refuse("verdict", "is none of the words that exactrelu uses")
    layers = check.list(found, "layers") if found.get("layers") is not None else []
    layer: dict[str, Any] = {}
    if len(layers) == 1:
        check.mapping(layers[0], "layers")
        layer = layers[0]
    collision = _twins(check, found.get("collision"))
    if (collision is not None) != (verdict == "not-injective"):
        check.refuse("collision", "does not fit the verdict")
    inputs = check.optional(layer, "inputs", least=0)
    if collision is not None and inputs is not None and len(collision.x) != inputs:
        check.refuse("collision", "has another length than the layer's input")
    return Injectivity(
        layer=check.optional(layer, "layer", least=1),
        name=check.is_text(layer.get("name", ""), "name"),
        inputs=inputs,
        outputs=check.optional(layer, "outputs", least=0),
        domain=check.text(found, "domain"),
        verdict=verdict,
        method=check.is_text(found.get("method") or "", "method"),
        progress=check.is_text(found.get("progress") or "", "progress"),
        collision=collision,
        float32=_float32(check, found.get("float32")),
        inverse_lipschitz_upper=_decimal(check, found, "inverse_lipschitz_upper"),
        bias_margin=_margin(check, found.get("bias_margin")),
        largest_box=_largest_box(check, found.get("largest_box")),
        certificate=certificate,
    )


def _twins(check: Checked, value: Any) -> Twins | None:
    if value is None:
        return None
    check.mapping(value, "collision")
    x, y, output = (check.vector(value.get(word), "collision") for word in ("x", "y", "value"))
    if len(x) != len(y) or x == y:
        check.refuse("collision", "is not two different inputs of one length")
    return Twins(x, y, output)


def _float32(check: Checked, value: Any) -> Float32 | None:
    if value is None:
        return None
    check.mapping(value, "float32")
    equal = value.get("outputs_equal")
    return Float32(
        check.boolean(value, "distinct"),
        check.boolean(value, "inside"),
        None if equal is None else check.boolean(value, "outputs_equal"),
        _decimal(check, value, "largest_difference"),
        check.is_text(value.get("evaluated_by") or "", "evaluated_by"),
        check.is_text(value.get("note") or "", "note"),
    )


def _margin(check: Checked, value: Any) -> Margin | None:
    if value is None:
        return None
    check.mapping(value, "bias_margin")
    infinite = value.get("infinite")
    if infinite is not None and (not isinstance(infinite, str) or infinite not in {"plus", "minus"}):
        check.refuse("infinite", "is neither plus nor minus")
    exact, low, high = (_rational(check, value, word) for word in ("value", "low", "high"))
    return Margin(exact, low, high, infinite)


def _largest_box(check: Checked, value: Any) -> LargestBox | None:
    if value is None:
        return None
    check.mapping(value, "largest_box")
    inner = _rational(check, value, "inner")
    if inner is None:
        check.refuse("inner", "is missing")
    return LargestBox(inner, _rational(check, value, "outer"))


def _rational(check: Checked, found: Mapping[str, Any], field: str) -> str | None:
    return None if found.get(field) is None else check.vector([found[field]], field)[0]


def _decimal(check: Checked, found: Mapping[str, Any], field: str) -> str | None:
    value = found.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        check.refuse(field, "is not a decimal")
    return value
