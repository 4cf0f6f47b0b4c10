"""What `exactrelu regions` writes: a graph, a plot, and in a folder the result with its certificate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from exactrelu.errors import InvalidRequestError
from exactrelu.regions import RegionComplex
from exactrelu.regions.drawing.plot import check_suffix as check_plot
from exactrelu.regions.drawing.plot import save_plot
from exactrelu.regions.evidence import regions_certificate
from exactrelu.regions.graph import check_suffix, save_graph
from exactrelu.result_folder import ResultFolder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from exactrelu.domain import Domain
    from exactrelu.network.model import Network
    from exactrelu.regions import AffineSlice
    from exactrelu.regions.drawing.polygons import View
    from exactrelu.regions.jobs.by_part import RegionsByPart

# Regions up to which a plot is drawn that nobody asked for.
_MOST_DRAWN = 20_000


@dataclass(frozen=True)
class Pictures:
    """The files of a graph and of a plot, if they are asked for, and how they are drawn."""

    graph: Path | None
    plot: Path | None
    colour: Literal["pattern", "map", "output"]
    view: View | None
    draw_graph: bool
    pieces: bool

    def check(self, model: Network, plane: AffineSlice | None) -> None:
        """Refuse what cannot be written before any region is looked for."""
        if self.graph is not None:
            check_suffix(self.graph)
        if self.plot is not None:
            check_plot(self.plot)
            dimension = model.inputs if plane is None else len(plane.directions)
            if dimension != 2:
                there_are = f"the network has {dimension} inputs" if plane is None else f"the slice has dimension {dimension}"
                raise InvalidRequestError(
                    f"a plot shows two dimensions, but {there_are}; give three points with --slice FILE, or leave --plot out"
                )
        for file in (self.graph, self.plot):
            if file is not None and not file.parent.is_dir():
                raise InvalidRequestError(f"{file} cannot be written: there is no folder {file.parent}; make it, or choose another")

    def save(self, found: RegionComplex | RegionsByPart, *, decided: bool) -> dict[str, str] | None:
        """Write both; what is recorded of the plot. decided: whether the outputs have a decision boundary; hidden neurons have none.

        The regions that the first neurons make have no affine map: their plot has one colour a region.
        """
        if self.graph is not None:
            save_graph(found, self.graph, pieces=self.pieces and found.complete)
        if self.plot is None or not found.regions or not isinstance(found, RegionComplex):
            return None
        complete = found.complete
        drawn = save_plot(
            found,
            self.plot,
            colour=self.colour if complete else "pattern",
            boundary="decision" if decided and complete else None,
            graph=self.draw_graph,
            view=self.view,
            pieces=self.pieces and complete,
        )
        return {"file": str(self.plot), "sha256": drawn}


class RegionsFolder:
    """Where the result, its certificate and the network that it names are written."""

    def __init__(self, folder: Path, model: Network, stem: str, record: Mapping[str, Any], domain: str) -> None:
        self._model = model
        self._files = ResultFolder(folder, model, stem)
        self._last = "output" if record["through"] is None else str(record["through"])
        through = "" if record["through"] is None else f"-through{self._last}"
        self._name = f"regions{through}{'-slice' if record['slice'] is not None else ''}"
        self._domain = domain

    def with_plot(self, pictures: Pictures, found: RegionComplex) -> Pictures:
        """The same pictures; if no plot is asked for and the regions have two dimensions and are not too many, one for the report."""
        if pictures.plot is not None or found.space_dimension != 2 or found.dimension != 2 or found.regions > _MOST_DRAWN:
            return pictures
        return replace(pictures, plot=self._files.path(self._name, self._domain, ".svg"))

    def certify(self, found: RegionComplex, domain: Domain) -> dict[str, str | None]:
        """The path of the certificate, written, or why there is none."""
        path = self._files.path(self._name, self._domain, ".certificate")
        try:
            made = regions_certificate(self._model, found, domain)
            named = self._files.named(self._model.layer_through(self._last), through=True)
            if (made.network, made.last) != (named.sha256, named.number):
                raise InvalidRequestError("the layers up to this one are no network that a certificate can name")
            made.save(path)
        except InvalidRequestError as error:
            return {"certificate": None, "uncertified": str(error)}
        return {"certificate": str(path), "uncertified": None}

    def write(self, result: Mapping[str, Any]) -> str:
        """Write the JSON object; its path."""
        return self._files.results(result, self._files.path(self._name, self._domain, ".json").name)
