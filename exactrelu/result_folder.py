"""The folder that --out names: network files, certificates and JSON, each of which appears whole or not at all."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from exactrelu.certificates import write_text
from exactrelu.errors import ExactReluError, InvalidRequestError
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.exact_file import write_network
from exactrelu.points import read_bytes
from exactrelu.results import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from exactrelu.network.model import Network, SourceLayer

RESULT_BYTES = 2**28
# How the names of files end that an undecided run goes on from; they are no results.
PARTIAL = ".partial.json"
# Above so many weights in sparse layers, certificates name a file of their layer alone, which a checker reads in seconds.
MOST_SHARED = 2**22


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
        points = None if data is None else (data["sha256"], data["scale"], data["subject"])
        for path in sorted(folder.glob("*.json")):
            their_network, their_points = _about(_read(path))
            other_points = points is not None and their_points is not None and their_points != points
            if their_network is not None and (their_network != sha256 or other_points):
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

    def path(self, name: str, domain: str, suffix: str) -> Path:
        """Where a file that belongs to one answer, named by the question and the domain, stands."""
        return self._folder / f"{name}-{_file_word(domain)}{suffix}"

    def answer(
        self, name: str, domain: str, result: Mapping[str, Any], text: str | None, more: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[str, str | None]:
        """Write the JSON object of one answer, its certificate and further ones, named by what they show; return the first two paths."""
        for word, other in more.items():
            self._write(self.path(name, domain, f"-{word}.certificate").name, other)
        written = None if text is None else self._write(self.path(name, domain, ".certificate").name, text)
        return self._write(self.path(name, domain, ".json").name, json_text({**result, "certificate": written}) + "\n"), written

    def results(self, result: Mapping[str, Any], name: str | None = None, *, stem: str = "results") -> str:
        """Write the JSON object and return its path.

        Without a name that is `results.json`, for another `stem` that, or where this answers another question, a name made of the question.
        """
        if name is None:
            name, own = f"{stem}.json", _asked(result)
            if (self._folder / name).exists() and _asked(_read(self._folder / name)) != own:
                layers = own[2][0] if len(own[2]) == 1 else "layers"
                name = f"{stem}-{layers}-{_file_word(own[1])}.json"
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


def _about(result: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...] | None]:
    """The network and the points that a result is about, None where it does not say."""
    network, data = (value if isinstance(value := result.get(word), dict) else {} for word in ("network", "data"))
    return network.get("sha256"), tuple(data.get(word) for word in ("sha256", "scale", "subject")) if data else None


def _asked(result: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """The question, the domain, and the layers that a result has answers for."""
    found = result.get("results")
    records = [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []
    layers = {f"through{record.get('through')}" if record.get("layer") is None else _layer(record) for record in records}
    return str(result.get("question")), str(result.get("domain")), sorted(layers)


def _layer(record: Mapping[str, Any]) -> str:
    """A layer alone, or what `stability` calls so that is composed: the network through it."""
    return f"{'through' if record.get('composed') is True else 'layer'}{record['layer']}"


def _file_word(domain: str) -> str:
    """A domain, as the command line has it, as part of a file's name.

    >>> _file_word("all"), _file_word("box:0,1/2"), _file_word("polytope:up/cube.json")
    ('all', 'box-0,1_2', 'polytope-up_cube.json')
    """
    return re.sub(r"[^A-Za-z0-9.,-]", "_", domain.replace(":", "-", 1))[:60]


def _sparse_weights(network: Network) -> int:
    return sum(layer.stored.entries for layer in network.layers if isinstance(layer.stored, SparseMatrix))
