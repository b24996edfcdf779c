"""What corruptions do by themselves, one after the other, and how far."""

import json

import torch
from torch import nn

from hourglass.model import ModelSpace
from hourglass.storage import recipe_from_json, recipe_to_json
from hourglass.variants import (
    AE,
    RandomAffine,
    SaltAndPepper,
)


def test_corruptions_follow_one_another():
    two = AE.with_corruption(SaltAndPepper(0.5), RandomAffine(degrees=0, zoom=0, shift=0.25))
    assert repr(two).endswith("sees SaltAndPepper(rate=0.5) then RandomAffine(degrees=0, zoom=0, shift=0.25))")
    assert recipe_from_json(json.loads(json.dumps(recipe_to_json(two))), {}) == two
    x, space = torch.rand(6, 1, 8, 8), ModelSpace(nn.Identity(), torch.ones(1, 8, 8, dtype=torch.bool), 0.0)
    torch.manual_seed(0)
    once = two.corruptions[1](two.corruptions[0](x, space), space)
    torch.manual_seed(0)
    assert torch.equal(two.corrupted(x, space), once)


def test_an_affine_corruption_moves_as_far_as_it_says():
    """Distances from the middle of a wide picture grow by the zoom and keep across turns; shifts stay within theirs."""
    B, H, W = 400, 21, 41
    space = ModelSpace(nn.Identity(), torch.ones(1, H, W, dtype=torch.bool), 0.0)
    down, right = torch.meshgrid(torch.arange(H) - H // 2, torch.arange(W) - W // 2, indexing="ij")
    places = torch.stack([right, down]).float().expand(B, 2, H, W).contiguous()
    torch.manual_seed(0)
    middle = lambda moved: moved[:, :, H // 2 - 4 : H // 2 + 5, W // 2 - 4 : W // 2 + 5]  # noqa: E731 - no border there
    turned = middle(RandomAffine(degrees=30, zoom=0, shift=0)(places, space))
    assert torch.allclose(turned.norm(dim=1), middle(places).norm(dim=1), atol=1e-4)
    angle = torch.rad2deg(torch.atan2(turned[:, 1, 4, -1], turned[:, 0, 4, -1]))
    assert 28 < angle.max() <= 30.01
    assert -30.01 <= angle.min() < -28
    zoomed = middle(RandomAffine(degrees=0, zoom=0.5, shift=0)(places, space))
    factor = zoomed[:, 0, 4, -1] / 4
    assert 1.45 < factor.max() <= 1.5001
    assert 1 / 1.5001 <= factor.min() < 1 / 1.45
    shifted = middle(RandomAffine(degrees=0, zoom=0, shift=0.1)(places, space))[:, :, 4, 4]
    assert torch.allclose(shifted.abs().amax(0), torch.tensor([0.1 * W, 0.1 * H]), rtol=0.03)
