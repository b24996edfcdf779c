"""The contractive autoencoder: the code should not move much when x does.

The penalty is ||J||_F^2 / tr Cov(z), J = d code / d x: relative to the code's own scale (see `code_scale`), where Rifai
et al. tie the weights.

Source: Rifai et al. 2011, ICML; the estimate: Hutchinson 1990, Communications in Statistics 19:433.
"""

import torch
from torch import Tensor, nn

from hourglass.model import Autoencoder, Encode, RoundTrip, append_condition
from hourglass.networks import MLPEncoder
from hourglass.recipe import Term
from hourglass.variants.code_scale import code_scale
from hourglass.variants.plain import AE, Deterministic


def hutchinson(code: Tensor, x: Tensor) -> Tensor:
    """An unbiased estimate of ||d code / d x||_F^2 of every sample, (B,), from one vector-Jacobian product.

    For v with E[v v^T] = I, E ||v^T J||^2 = tr(J J^T) = ||J||_F^2; v of random signs has the least variance.
    `code` (B, L) must come from `x` (B, *S) that requires a gradient; samples must not mix.
    """
    v = torch.randint(0, 2, code.shape, device=code.device, dtype=code.dtype) * 2 - 1
    (product,) = torch.autograd.grad(code, x, v, create_graph=torch.is_grad_enabled(), allow_unused=True)
    if product is None:  # nothing but categories: the code does not depend on x smoothly
        return code.new_zeros(len(code))
    return product.flatten(1).square().sum(1)


def one_layer(encode: Encode, x: Tensor, condition: Tensor | None) -> Tensor | None:
    """||J||_F^2 in closed form, (B,), where the whole encoder is one layer h(W x + b); None where it is not.

    sum_j h'(a_j)^2 ||W_j||^2, with h' from one backward pass through the activation alone.
    """
    plain = isinstance(encode.encoder, MLPEncoder) and not len(encode.encoder.layers)
    if not (plain and isinstance(encode.bottleneck, Deterministic)):
        return None
    head = encode.bottleneck.head
    squares = head.weight[:, : x[0].numel()].square()  # (L, D), the condition's columns left out
    known = ~x.flatten(1).isnan()  # the code does not move with a cell that is missing
    rows = known.to(squares.dtype) @ squares.T  # (B, L) ||W_j||^2
    if isinstance(encode.bottleneck.activation, nn.Identity):
        return rows.sum(1)
    with torch.enable_grad():
        a = head(append_condition(encode.encoder(x), condition))  # (B, L)
        if not a.requires_grad:
            a.requires_grad_()
        (slope,) = torch.autograd.grad(encode.bottleneck.activation(a).sum(), a, create_graph=True)
    return (slope.square() * rows).sum(1)


def relative_contraction(trip: RoundTrip, model: Autoencoder) -> Tensor:
    """||J||_F^2 / tr Cov(z): (B,); exact for one layer, an unbiased estimate of the numerator otherwise.

    z is the posterior's mode, of which J is the derivative: the noise of a sampled code would stand in for its scale.
    """
    norm = one_layer(model.encode, trip.encoder_input, trip.condition)
    if norm is None:
        with torch.enable_grad():
            x = trip.encoder_input.detach().requires_grad_()
            norm = hutchinson(model.encode(x, trip.condition).mode, x)
    return norm / code_scale(trip.posterior.mode)


contraction = Term(relative_contraction, name="contraction")

CONTRACTIVE = AE.with_term(contraction, weight=0.1)
