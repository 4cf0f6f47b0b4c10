"""Injectivity in a test suite: `pytest examples/test_my_model.py`.

The model's first layer puts 16 mixtures of the pixels and their opposites through a relu, so that no image is lost; its second layer has
too few outputs for that.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from exactrelu.testing import assert_injective, layer_injectivity

PIXELS = 16


def my_model() -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(PIXELS, 2 * PIXELS), nn.ReLU(), nn.Linear(2 * PIXELS, 8), nn.ReLU())
    half = model[0].weight[:PIXELS]
    with torch.no_grad():
        model[0].weight[PIXELS:] = -half
        model[0].bias.zero_()
    return model


def test_the_first_layer_loses_no_image() -> None:
    assert_injective(my_model()[0], domain="box:0,1")


def test_the_first_layer_loses_nothing_at_all() -> None:
    assert_injective(my_model()[0])


def test_the_second_layer_does() -> None:
    second = my_model()[2]
    with pytest.raises(AssertionError, match="exactly the same output"):
        assert_injective(second, domain="orthant")
    found = layer_injectivity(second, "orthant")
    assert found.collision is not None
    assert found.collision.x != found.collision.y
