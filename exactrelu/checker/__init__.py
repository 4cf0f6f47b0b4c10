"""The checker of certificates, section by section of proofs/FORMAT.md; Python's standard library only.

This is the code that a reader of a verdict has to trust, so it shares nothing with the code that finds verdicts.

- `text`        section 1: bytes, tokens, limits
- `network`     section 2: the exact network
- `sparse`      rows of it that are mostly zero
- `claim`       section 3: domain, claim, and the systems of linear conditions that a claim is about
- `evidence`    section 4: what makes a claim about one layer true
- `through`     section 4.9: claims about several layers, from claims about one
- `cases_through` section 4.9: claims about several layers, from cases of the hidden neurons' signs
- `listed_through` section 4.9: claims about several layers, from cells in which they are affine
- `injectivity` section 4.10: a layer is one-to-one on a domain
- `injectivity_network` section 4.14: several layers together are
- `interval_image` section 4.14: intervals of all that reaches a layer
- `injectivity_regions` section 4.15: they are, by the maps of all regions
- `injectivity_pairs` section 4.16: they are, by pairs of regions
- `spanning`    extreme points, rays and lines of 4.16
- `collision`   section 4.10: it is not
- `bias_limit`  section 4.11: how far biases can be lowered
- `expansion`   section 4.11: how much distances shrink
- `tree`        cases of 4.10 and 4.11, one line a node
- `regions`     section 4.12: all activation regions, listed with their walls
- `regions_tree` section 4.13: all activation regions, as the leaves of a tree
- `regions_cone` cones of 4.13
- `verify`      a certificate from its header to its end
- `ratio`       numbers N / D of claims, in words
- `arithmetic`  the heavy steps, in integers; `exactrelu.fast_checker` has faster ones
- `elimination` ranks modulo Q
- `packing`     vectors in one integer

Files, folders and exit codes are in `exactrelu.check`.
"""

from __future__ import annotations
