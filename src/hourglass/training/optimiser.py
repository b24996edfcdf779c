"""Adam with decoupled weight decay, on torch's fused kernel.

`torch.optim.AdamW` gives the same steps; constructing one imports torch's compiler, which costs a second and 70 MiB
before the first step, and its bookkeeping a twentieth of a small step.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BETAS = (0.9, 0.99)
EPSILON = 1e-8
STEPS_BETWEEN_SWEEPS = 256
# below these a moment moves no weight, and what is above stays a normal float32 until the next sweep
MIN_FIRST_MOMENT, MIN_SECOND_MOMENT = 1e-20, 1e-36


class AdamW:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980) with decoupled decay (Loshchilov and Hutter 2019, arXiv:1711.05101).

    Only matrices decay, times the learning rate: biases, scales and offsets have no size to keep small.

    Parameters
    ----------
    parameters : the tensors that learn, on one device.
    weight_decay : per unit of learning rate and step.
    """

    def __init__(self, parameters: Sequence[Tensor], weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.first = [torch.zeros_like(p) for p in self.parameters]  # running means of the gradients
        self.second = [torch.zeros_like(p) for p in self.parameters]  # and of their squares
        # steps so far, where and as the kernel wants them
        self.taken = torch.zeros((), dtype=torch.float32, device=self.parameters[0].device)
        self.count = 0  # the same, to be read without waiting for a device
        decays = [weight_decay if p.ndim > 1 else 0.0 for p in self.parameters]
        members = list(zip(self.parameters, self.first, self.second, strict=True))
        self.groups = [  # what decays alike takes its step together
            (decay, [m for m, own in zip(members, decays, strict=True) if own == decay]) for decay in set(decays)
        ]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Moves every parameter that has a gradient, and drops the gradients."""
        self.taken += 1
        self.count += 1
        for decay, members in self.groups:
            moved = [(p, p.grad, first, second) for p, first, second in members if p.grad is not None]
            if moved:
                parameters, gradients, firsts, seconds = map(list, zip(*moved, strict=True))
                torch._fused_adamw_(
                    parameters, gradients, firsts, seconds, [], [self.taken] * len(moved),
                    lr=learning_rate, beta1=BETAS[0], beta2=BETAS[1], weight_decay=decay, eps=EPSILON,
                    amsgrad=False, maximize=False,
                )  # fmt: skip
        for parameter in self.parameters:
            parameter.grad = None
        if self.count % STEPS_BETWEEN_SWEEPS == 0:
            self._sweep()

    def _sweep(self) -> None:
        """Sets to zero what units without gradient have left.

        Denormal numbers make a step of Adam up to three times as slow, and rounding keeps them from ever reaching zero.
        """
        for first, second in zip(self.first, self.second, strict=True):
            first.copy_(torch.hardshrink(first, MIN_FIRST_MOMENT))
            second.copy_(torch.hardshrink(second, MIN_SECOND_MOMENT))

    def state(self) -> dict[str, Tensor]:
        """Everything that a later step depends on, by name."""
        named = {"taken": self.taken}
        for i, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            named |= {f"first.{i}": first, f"second.{i}": second}
        return named

    @torch.no_grad()
    def load_state(self, named: dict[str, Tensor]) -> None:
        """Takes over what `state` gave; raises ValueError for the state of other parameters."""
        own = self.state()
        if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in named.items()}:
            raise ValueError("the state of the optimiser belongs to other parameters: start over")
        for name, tensor in own.items():
            tensor.copy_(named[name])
        self.count = int(self.taken)
