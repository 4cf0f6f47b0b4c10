"""The part of `exactrelu injectivity` that asks about a network, from its input through a layer or to its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.commands.options import kept_in_store
from exactrelu.domain import parse_domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.injectivity.network import network_injectivity
from exactrelu.injectivity.network.combined import drawn_projection, projected
from exactrelu.points import read_array, read_points
from exactrelu.result_folder import ResultFolder
from exactrelu.results import assumptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from exactrelu.network.model import Network
    from exactrelu.results import Envelope


def answer(
    envelope: Envelope,
    path: Path,
    model: Network,
    *,
    through: str,
    domain: str,
    points: str | None,
    scale: Fraction | None,
    out: Path | None,
    time_limit: float | None,
    projection: str | None,
    store: Path | None,
    quiet: bool,
) -> tuple[Mapping[str, Any], str | None]:
    """The JSON object, and where it was written."""
    asked = model if projection is None else projected(model.up_to(model.layer_through(through)), _matrix(projection, model, through))
    last = model.layer_through(through) if projection is None else asked.layer_through("output")
    within = parse_domain(domain, model.inputs)
    near = () if points is None else read_points(points, shape=model.input_shape, inputs=model.inputs, scale=scale).rows
    folder = None if out is None else ResultFolder(out, asked, path.stem if projection is None else f"{path.stem}.projected")
    question: dict[str, Any] = {"through": last.number, "domain": within, "points": near, "seconds": time_limit, "store": store}
    found = kept_in_store(
        store,
        lambda progress: network_injectivity(asked, progress=progress, **question),
        lambda found: found.verdict != "undecided",
        quiet=quiet,
    )
    whole = projection is not None or last.number == len(model.source_layers)
    record = {"through": None if whole else last.number, "projection": projection, **found.record()}
    result = envelope.around(path, model, assumptions(certified=folder is not None), **record)
    if folder is None:
        return result, None
    text = None
    if found.is_certified:
        named = folder.named(last, through=True)
        text = found.certificate(network_sha256=named.sha256, last=named.number, domain=within).text()
    where, result["certificate"] = folder.answer(
        f"injectivity{'-projected' if projection is not None else '' if whole else f'-through{last.number}'}", domain, result, text
    )
    return result, where


def _matrix(projection: str, model: Network, through: str) -> DyadicMatrix:
    """The matrix of a file, or one with so many drawn rows, the same every time."""
    outputs = model.layer_through(through).outputs
    if projection.isascii() and projection.isdigit() and 0 < len(projection) < 6:
        return drawn_projection(int(projection), outputs)
    path = Path(projection)
    if path.suffix.lower() not in {".npy", ".npz"}:
        raise InvalidRequestError(f"{projection[:80]!r} is no projection; give a matrix as .npy or .npz, or how many rows to draw")
    matrix = read_array(path, "x", else_only=True)
    if matrix.ndim != 2:
        raise InvalidRequestError(f"{path} holds an array of shape {matrix.shape}; give a matrix of shape (k, {outputs})")
    return DyadicMatrix.from_floats(matrix.astype(np.float64) if matrix.dtype.kind in "iu" else matrix, name=str(path))
