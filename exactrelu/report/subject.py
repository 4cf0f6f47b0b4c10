"""What a result is about: the network, layers of it, the points; each field checked before it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exactrelu.report.fields import Checked

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class LayerSize:
    """A layer as the results describe it."""

    number: int
    name: str
    inputs: int
    outputs: int


@dataclass(frozen=True)
class Data:
    """The points that were asked about; `constant` has the coordinates with one value in every row, and that value."""

    file: str
    sha256: str
    scale: str
    subject: str
    shape: tuple[int, ...]
    constant: Mapping[int, str]


def read_network(check: Checked, found: Mapping[str, Any]) -> dict[str, Any]:
    """The network asked about: its file, SHA-256 and sizes."""
    network = found.get("network")
    check.mapping(network, "network")
    assert isinstance(network, dict)
    sha256 = check.text(network, "sha256")
    if not _SHA256.fullmatch(sha256):
        check.refuse("network", "has no SHA-256")
    sizes = {word: check.number(network, word, least=0) for word in ("inputs", "outputs")}
    return {"file": _base_name(check.text(network, "file")), "sha256": sha256, **sizes}


def read_layers(check: Checked, found: Mapping[str, Any]) -> list[LayerSize]:
    """The layers asked about; results written before these were described have none."""
    layers = []
    for layer in check.list(found, "layers") if found.get("layers") is not None else []:
        check.mapping(layer, "layers")
        sizes = [check.number(layer, word, least=0) for word in ("inputs", "outputs")]
        layers.append(LayerSize(check.number(layer, "layer", least=1), check.text(layer, "name"), *sizes))
    return layers


def read_data(check: Checked, found: Mapping[str, Any]) -> Data | None:
    """The points asked about; results written before these were described have none."""
    data = found.get("data")
    if data is None:
        return None
    check.mapping(data, "data")
    shape = tuple(check.number({"shape": length}, "shape", least=0) for length in check.list(data, "shape"))
    constant = data.get("constant")
    check.mapping(constant, "constant")
    if not all(re.fullmatch(r"[0-9]{1,15}", name) and isinstance(value, str) for name, value in constant.items()):
        check.refuse("constant", "is not a table of coordinates and values")
    sha256 = check.text(data, "sha256")
    if not _SHA256.fullmatch(sha256):
        check.refuse("data", "has no SHA-256")
    values = {int(name): value for name, value in constant.items()}
    return Data(_base_name(check.text(data, "file")), sha256, check.text(data, "scale"), check.text(data, "subject"), shape, values)


def _base_name(path: str) -> str:
    """A file's own name: where it lay is nobody's business, its SHA-256 says which one it was."""
    return re.split(r"[\\/]", path)[-1] or path
