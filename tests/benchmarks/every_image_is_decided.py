"""Claim: all images are decided; medians at most 0.1 s on R^n and 0.3 s on the pixel box; layer 2 on the orthant beside them.

One core. Usage: python tests/benchmarks/every_image_is_decided.py [IMAGES]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter

import common


def main() -> None:
    common.require_shared()
    from exactrelu import AllSpace, LayerPreimage, Orthant, load, parse_domain

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    network = load(common.NETWORK)
    points = common.images(count)
    rows = []
    for number, domain in ((1, AllSpace()), (1, parse_domain("box:0,1", 784)), (2, Orthant())):
        given = points if number == 1 else [network.layer_input(2, point) for point in points]
        begin = time.perf_counter()
        prepared = LayerPreimage(network.layers[number - 1], domain)
        prepared.of_point(given[0])
        first = time.perf_counter() - begin
        seconds, found = [], Counter()
        for point in given:
            begin = time.perf_counter()
            found[prepared.of_point(point).cardinality.value] += 1
            seconds.append(time.perf_counter() - begin)
        words = ", ".join(f"{found[word]} {word}" for word in sorted(found))
        median, longest = statistics.median(seconds), max(seconds)
        rows.append([number, domain.describe(), f"{first:.2f}", f"{median:.3f}", f"{longest:.3f}", words])
    common.show(f"first {count} images, one core", ["layer", "domain", "set-up and first", "median", "longest", "decided"], rows)


if __name__ == "__main__":
    main()
