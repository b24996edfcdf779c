"""A linear layer whose answer for a row does not depend on the rows with it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_OUTPUTS = 16


class Linear(nn.Linear):
    """`nn.Linear`; without gradients, narrow outputs are computed as part of at least 16.

    Products with fewer columns take kernels that round by the place of a row in its batch (measured with MKL: a row's
    last bit moves for most sizes below 16 and for none from 16 on), so that the same row would score differently in
    another order.
    """

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`F.linear`, with the promise of `Linear`."""
    padding = MIN_OUTPUTS - len(weight)
    if padding <= 0 or torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    padded = None if bias is None else F.pad(bias, (0, padding))
    return F.linear(x, F.pad(weight, (0, 0, 0, padding)), padded)[..., : len(weight)]
