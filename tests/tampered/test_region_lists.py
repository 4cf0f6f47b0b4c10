"""Certificates that list regions by their walls (section 4.12), every rule by hand; see also `test_region_certificates`."""

from __future__ import annotations

import pytest
from test_region_certificates import (
    ABSOLUTE,
    ALL,
    CONSTANT,
    CROSS,
    FREE,
    LINE,
    ORTHANT,
    POINT,
    TWICE,
    UNIT,
    changed,
    regions_by_hand,
)

THREE = ["region 1 -1", "walls 1 0", "implied 1 1", "facet 0 1 1 0", "region 2 1", "walls 2 0 1", "implied", "facet 1 2 1 1"]
THREE += ["region 1 2", "walls 1 1", "implied 1 1"]
FOUR = ["region 1 -1 -1", "walls 2 0 1", "implied", "facet 0 2 1 0 -1", "facet 1 1 1 -1 0"]
FOUR += ["region 1 -1 1", "walls 2 0 1", "implied", "facet 0 3 1 0 1"]
FOUR += ["region 1 1 -1", "walls 2 0 1", "implied", "facet 1 3 1 1 0", "region 1 1 1", "walls 2 0 1", "implied"]
TWO = ["region 1 -1", "walls 1 0", "implied 1 1", "facet 0 1 1 0", "region 1 1", "walls 1 1", "implied 1 1"]
INSIDE = ["region 2 1", "walls 2 2 3", "implied 1 1 0 1 0 1", "border 0 1 0", "border 1 1 1"]
RIGHT = ["region 2 1", "walls 2 1 2", "implied 1 0 1", "facet 0 1 1 1", "border 1 1 0", "region 1 2", "walls 1 1", "implied 1 1 1 1"]
NOTHING_LEFT = ["walls 0", "implied"]


@pytest.mark.parametrize(
    ("text", "domain", "claim", "lines", "scope"),
    [
        (LINE, ALL, "3 2", THREE, "1"),
        (LINE, UNIT, "1 0", INSIDE, "1"),
        (LINE, ORTHANT, "2 1", RIGHT, "1"),
        (TWICE, ALL, "2 1", TWO, "1"),
        (CONSTANT, ALL, "1 0", ["region 1 5", *NOTHING_LEFT], "1"),
        (CROSS, ALL, "4 4", FOUR, "1"),
        (POINT, ALL, "1 0", ["region 1", *NOTHING_LEFT], "1"),
        (FREE, ALL, "1 0", ["region 1 0", *NOTHING_LEFT], "1"),
        # the second layer is |x|, whose neuron is on on both sides of 0
        (ABSOLUTE, ALL, "2 1", changed(changed(TWO, 2, "implied 1 1 1 1"), 6, "implied 1 1 1 1"), "2"),
    ],
)
def test_certificates_by_hand_are_valid(text, domain, claim, lines, scope):
    valid, said = regions_by_hand(text, domain, claim, *lines, scope=f"through {scope}")
    assert valid, said


@pytest.mark.parametrize(
    ("text", "domain", "claim", "lines", "reason"),
    [
        (LINE, ALL, "2 2", THREE, "those that follow"),
        (LINE, ALL, "3 1", THREE, "not as many"),
        (LINE, ALL, "3 3", THREE, "not as many"),
        (LINE, ALL, "4 2", THREE, "`region` belongs"),
        (LINE, ALL, "0 0", [], "there is no region"),
        (LINE, ALL, "2 1", [*THREE[:-4], *THREE[-3:]], "neither a facet"),
        (LINE, ALL, "2 1", THREE[:-4], "neither a facet"),
        (LINE, ALL, "3 2", changed(THREE, 0, "region 1 0"), "boundary of another"),
        (LINE, ALL, "3 2", changed(THREE, 0, "region 1 3"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 4, "region 1 -1"), "does not follow that of the one before"),
        (LINE, ALL, "3 2", changed(THREE, 1, "walls 1 1"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 1, "walls 0"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 1 2"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 0 1"), "a denominator not positive"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 0 0"), "a denominator not positive"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied -1 1"), "a denominator not positive"),
        (LINE, UNIT, "1 0", changed(INSIDE, 2, "implied 1 1 0 1 -1 0"), "a multiplier is negative"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 1"), "where 2 belong"),
        (LINE, ALL, "3 2", changed(THREE, 2), "`implied` belongs"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 1 1 1"), "inside the facet"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 1 1 -1"), "inside the facet"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 0 1 0"), "those that follow"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 3 1 0"), "those that follow"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 1 1 1 0"), "no such wall"),
        (LINE, ALL, "3 2", changed(THREE, 3, THREE[3], THREE[3]), "crossed twice"),
        (LINE, ALL, "3 2", changed(THREE, 3, "border 0 1 0"), "none of the domain's sides"),
        (LINE, ALL, "3 2", changed(THREE, 3), "neither a facet"),
        (LINE, UNIT, "1 0", changed(INSIDE, 0, "region 1 -1"), "not inside the domain"),
        (LINE, UNIT, "1 0", changed(INSIDE, 0, "region 1 1"), "boundary of another"),
        (LINE, UNIT, "1 0", changed(INSIDE, 4), "neither a facet"),
        (LINE, UNIT, "1 0", changed(INSIDE, 4, "border 1 1 0"), "inside the facet"),
        (LINE, UNIT, "1 0", changed(INSIDE, 4, "border 1 2 1"), "inside the facet"),
        (LINE, "domain ball 1 1", "1 0", ["region 2 1", *NOTHING_LEFT], "ball"),
        (LINE, "domain polytope 1|side 1 0", "3 2", THREE, "empty"),
        (FREE, "domain polytope 2|side 0 1|side 0 -1", "1 0", ["region 1 0", *NOTHING_LEFT], "not inside the domain"),
        (TWICE, ALL, "2 1", ["region 1 -1", "walls 2 0 1", "implied", *TWO[3:]], "inside the facet"),
        (CROSS, ALL, "4 4", changed(FOUR, 3, "facet 0 2 1 0 0"), "inside the facet"),
        (CROSS, ALL, "4 4", changed(changed(FOUR, 3, "facet 0 3 1 0 -1"), 8, "facet 0 2 1 0 1"), "inside the facet"),
        (CROSS, ALL, "4 4", changed(changed(FOUR, 3, "facet 0 1 1 0 -1"), 4, "facet 1 2 1 -1 0"), "not one of the region beyond"),
        (CROSS, ALL, "3 2", [*FOUR[:8], "region 1 1 -1", "walls 2 0 1", "implied"], "neither a facet"),
    ],
)
def test_every_rule_rejects(text, domain, claim, lines, reason):
    valid, said = regions_by_hand(text, domain, claim, *lines)
    assert not valid
    assert reason in said


def test_the_claim_is_one_through_layers_of_all_inputs():
    assert "none of" in regions_by_hand(LINE, ALL, "3 2", *THREE, scope="layer 1", subject="layer")[1]
    assert not regions_by_hand(LINE, ALL, "3", *THREE)[0]
    assert not regions_by_hand(LINE, ALL, "3 2 0", *THREE)[0]
