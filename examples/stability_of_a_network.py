"""How stable is the inverse of a network: three plots, and which differences between inputs a learned blur hides.

    python examples/stability_of_a_network.py [NETWORK --input FILE] [--rows A:B] [--scale S] [--folder FOLDER]
    python examples/stability_of_a_network.py --result FOLDER/stability.json [--folder FOLDER]

Without a network it asks about the digits network that the package ships, and then about a forward operator that it learns itself. It
writes `stability.svg`, `directions.svg` and `stability.json`, in which every number that is drawn stands with its proved bounds; and
`blur.svg` and `blur.json`. A network of a few thousand rows takes seconds for each input, a convolutional one of 3072 inputs a minute or
two. `--result` draws the same figures from such a file, or from what `exactrelu stability .. --before --directions FILE.svg --out FOLDER`
has found.
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from exactrelu import Network, RationalVector, demo, load, read_points
from exactrelu.network.readers.from_torch_export import from_torch_export
from exactrelu.results import json_text
from exactrelu.stability import ProvedSpectrum, StabilityModel
from exactrelu.stability.plot import save_directions, save_plot

WIDTH = 24
BLUR = 0.8
NOISE = 1e-2


def asked(network: Network, points: list[RationalVector], folder: Path) -> list[dict[str, Any]]:
    """Each linearisation, before and after its last relu; at the first point with directions."""
    # What lies beyond the nearest walls takes as long again.
    model = StabilityModel(network, before=True, neighbours=network.inputs < 1000)
    records = [found.record(directions=not row) for row, x in enumerate(points) for found in model.at(x, row)]
    found = {"data": {"shape": list(network.input_shape)}, "results": records}
    (folder / "stability.json").write_text(json_text(found) + "\n", encoding="utf-8")
    return records


def three_plots(records: list[dict[str, Any]], shape: tuple[int, ...], folder: Path) -> None:
    """Singular values before and after each relu, their decay over depth, and the smallest of them against the rank; and directions."""
    save_plot(records, folder / "stability.svg")
    if any("directions" in one for one in records):
        save_directions(records, shape, folder / "directions.svg")
    for one in records:
        if one["row"] == records[0]["row"]:
            low, high = one["condition"] or ("-", "-")
            print(f"layer {one['layer']}: rank {one['rank']} (floats say {one['numeric_rank']}), condition number {low} to {high}")
    points = len({one["row"] for one in records})
    wrong = sum(part is not None and part["agrees"] is False for one in records for part in (one, one["before"]))
    print(f"{len(records)} linearisations at {points} inputs, before and after the relu; floats report a wrong rank {wrong} times")


def learned_blur(seed: int = 0) -> Network:
    """A network 24-48-24 that has learned to blur signals: the forward operator of an inverse problem, deconvolution."""
    torch.manual_seed(seed)
    places = torch.arange(WIDTH, dtype=torch.float32)
    kernel = torch.exp(-((places[:, None] - places[None, :]) ** 2) / (2 * BLUR**2))
    kernel /= kernel.sum(dim=1, keepdim=True)
    model = torch.nn.Sequential(torch.nn.Linear(WIDTH, 2 * WIDTH), torch.nn.ReLU(), torch.nn.Linear(2 * WIDTH, WIDTH))
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(1500):
        signals = torch.rand(128, WIDTH)
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(model(signals), signals @ kernel.T).backward()
        optimiser.step()
    return from_torch_export(model, (1, WIDTH))


def hidden_directions(network: Network, folder: Path) -> None:
    """What the inverse of the blur can and cannot see: the input directions of the largest and of the smallest singular values.

    Around the signal, a difference along the direction of sigma arrives sigma times as long. Noise of that size in the output therefore
    hides a difference 1 / sigma times as long in the input.
    """
    signal = np.round(1024 * (np.arange(WIDTH) // 6 % 2 * 0.5 + 0.25)) / 1024
    *_, found = StabilityModel(network, through=len(network.source_layers), neighbours=True).at(RationalVector.from_floats(signal))
    proved, record = found.after, found.record()
    assert isinstance(proved, ProvedSpectrum), "a network of this size is asked about with its matrix"
    rank = proved.exact_rank or 0
    directions = {place: proved.right[place].tolist() for place in (0, *range(rank - 3, rank))}
    (folder / "blur.json").write_text(json_text({"results": [record], "directions": directions}) + "\n", encoding="utf-8")
    for place, direction in directions.items():
        low, high = (Fraction(end) for end in record["sigma"][place])
        changes = int((np.diff(np.sign(direction)) != 0).sum())
        print(
            f"singular value {place + 1} is {float(low):.6f}; its direction changes sign {changes} times, and noise of {NOISE:g} hides "
            f"differences along it of up to {NOISE / float(high):.3f}"
        )
    print(f"The exact rank is {rank}: what differs along the other {WIDTH - rank} of {WIDTH} directions is lost, noise or not")
    beyond = record["boundary"]["beyond"]["sigma_min"]
    print(f"That holds up to a distance of {record['boundary']['distance'][0]}; just beyond, the smallest singular value is {beyond[0]}")
    _draw(directions, record["sigma"], signal, folder / "blur.svg")


def _draw(directions: dict[int, list[float]], sigma: list[list[str]], signal: np.ndarray, path: Path) -> None:
    with mpl.rc_context({"svg.hashsalt": "exactrelu", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.step(range(WIDTH), signal, where="mid", color="0.6", label="signal")
        for place in (min(directions), max(directions)):
            left.plot(directions[place], marker=".", label=f"direction of singular value {place + 1}")
        left.legend(fontsize=8)
        left.set_title("Input directions", fontsize=11)
        positive = [float(high) for _, high in sigma if Fraction(high)]
        right.semilogy(range(1, len(positive) + 1), positive, ".-")
        right.set_title("Singular values of the learned blur", fontsize=11)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", type=Path)
    parser.add_argument("--input", type=Path, help="points of the network: .npy, .npz or .csv")
    parser.add_argument("--rows", default="0:4")
    parser.add_argument("--scale", type=Fraction, default=None)
    parser.add_argument("--folder", type=Path, default=Path("stability"))
    parser.add_argument("--result", type=Path, help="stability.json of an earlier run: only draw")
    given = parser.parse_args()
    if (given.network is None) != (given.input is None) or (given.result and given.network):
        parser.error("a network and --input belong together, and --result stands alone")
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.result:
        found = json.loads(given.result.read_text(encoding="utf-8"))
        three_plots(found["results"], tuple(found["data"]["shape"]), given.folder)
        return
    own = given.network is None
    network = load(demo.MODEL if own else given.network)
    file, scale = (demo.IMAGES, Fraction(1, 16)) if own else (given.input, given.scale)
    points = read_points(file, shape=network.input_shape, inputs=network.inputs, scale=scale, rows=given.rows)
    three_plots(asked(network, list(points.rows), given.folder), network.input_shape, given.folder)
    if own:
        hidden_directions(learned_blur(), given.folder)


if __name__ == "__main__":
    main()
