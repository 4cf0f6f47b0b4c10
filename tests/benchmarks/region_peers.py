"""One of the peers on one network: prints its regions, its adjacencies (- where it has none) and the processor time in seconds.

Needs nothing but the peer, NumPy and PyTorch. Usage: PYTHON region_peers.py relucent|parx WEIGHTS.npz, with arrays W0, b0, W1, ..
"""

from __future__ import annotations

import os
import sys
from itertools import chain
from unittest import mock

import numpy as np


def main(peer: str, path: str) -> None:
    import torch

    torch.set_num_threads(1)
    with np.load(path) as held:
        arrays = [(held[f"W{i}"], held[f"b{i}"]) for i in range(len(held.files) // 2)]
    linear = []
    for weight, bias in arrays:
        linear.append(torch.nn.Linear(weight.shape[1], weight.shape[0]).double())
        linear[-1].load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    model = torch.nn.Sequential(*chain.from_iterable((layer, torch.nn.ReLU()) for layer in linear[:-1]), linear[-1])
    if peer == "relucent":
        import relucent

        begin = sum(os.times()[:4])
        complex_ = relucent.Complex(model)
        complex_.bfs(nworkers=1, verbose=0)
        graph = complex_.dual_graph()
        regions, adjacencies = graph.number_of_nodes(), str(graph.number_of_edges())
    else:
        # Importing it asks for Julia, which its method in Python does without.
        with mock.patch("shutil.which", return_value="julia"):
            import parx

        begin = sum(os.times()[:4])
        regions, adjacencies = len(parx.compute_partition(model, np.zeros((1, arrays[0][0].shape[1])), method="exact_python")), "-"
    print(regions, adjacencies, sum(os.times()[:4]) - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
