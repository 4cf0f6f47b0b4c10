"""Claim: every layer of real convolutional, residual and dense networks is decided for ten images each, on R^n.

Times are those of one process: preparing a layer (once), and the longest image. Peak memory is that of all so far.
Usage: python tests/benchmarks/every_layer_of_real_networks_is_decided.py [IMAGES] [NETWORK ..]
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from fractions import Fraction
from statistics import median

import common
import numpy as np

CIFAR = common.SHARED / "data" / "cifar10_test_200.npz"
NETWORKS = ("public/mnistfc_256x2", "public/oval21_cifar_base_kw", "public/cifar10_resnet_2b", "trained/cifar10_cnn")


def pictures(inputs: int, count: int) -> list:
    """The first test images of the size that the network reads: MNIST's, or CIFAR-10's with the channels first."""
    from exactrelu import RationalVector

    if inputs == 784:
        return common.images(count)
    with np.load(CIFAR, allow_pickle=False) as held:
        pixels = held["x"][:count].transpose(0, 3, 1, 2).reshape(count, inputs)
    return [RationalVector.from_fractions(Fraction(int(value), 255) for value in image) for image in pixels]


def main() -> None:
    common.require_shared()
    from exactrelu import AllSpace, load
    from exactrelu.preimage import prepare

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for name in sys.argv[2:] or NETWORKS:
        begin = time.perf_counter()
        network = load(common.SHARED / "networks" / f"{name}.onnx")
        loaded = time.perf_counter() - begin
        images = pictures(network.inputs, count)
        rows = []
        for layer in network.source_layers:
            begin = time.perf_counter()
            points = [network.layer_input(layer.number, image) for image in images]
            pushed = time.perf_counter() - begin
            prepared = prepare(layer, AllSpace())
            times, found = [], []
            for point in points:
                begin = time.perf_counter()
                found.append(prepared.of_point(point))
                times.append(time.perf_counter() - begin)
            said = Counter(result.cardinality.value for result in found)
            dimensions = [result.dimension for result in found if result.dimension is not None]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            rows.append(
                [
                    layer.number,
                    layer.inputs,
                    layer.outputs,
                    f"{pushed / count:.2f}",
                    f"{times[0]:.2f}",
                    f"{median(times[1:] or times):.2f}",
                    f"{max(times[1:] or times):.2f}",
                    ", ".join(f"{number} {word}" for word, number in sorted(said.items())),
                    f"{min(dimensions)} to {max(dimensions)}" if dimensions else "-",
                    f"{peak:.1f}",
                ]
            )
        header = ["layer", "inputs", "outputs", "push s", "first s", "median s", "longest s", "decided", "dimension", "peak GiB"]
        common.show(f"{name}: {count} images, read in {loaded:.1f} s", header, rows)


if __name__ == "__main__":
    main()
