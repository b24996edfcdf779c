"""The members of anomaly scores of every row handed in: of examples as they are, of windows for each instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hourglass.detection.exemplars import vectors
from hourglass.detection.members import Look
from hourglass.detection.scorer import Scorer
from hourglass.estimators import passes
from hourglass.modalities import Examples, Modality
from hourglass.model import Autoencoder
from hourglass.training import Rows

ROUNDS = 2  # of filling in a cell that is taken for missing


@dataclass(frozen=True)
class Given:
    """Examples to be scored; `examples` says where they were cut, and is None where they are records."""

    rows: Rows
    examples: Examples | None = None


@dataclass(frozen=True, eq=False)
class Scoring:
    """What scores are computed with."""

    model: Autoencoder
    modality: Modality
    scorer: Scorer
    device: str

    def members(self, given: Given) -> torch.Tensor:
        """The members of the score of each row handed in, (T, M); NaN for a row that no example covers."""
        rows = given.rows
        found = passes.measure(
            self.model, rows.raw, rows.condition,
            lambda x, condition: self.scorer.to(x.device).measure(self.model, x, condition), self.device,
        )  # fmt: skip
        if given.examples is None:
            return found
        with np.errstate(invalid="ignore"):  # 0 / 0 where nothing covers a row
            columns = [
                self._per_row(name, column, given.examples, rows)
                for name, column in zip(self.scorer.names, found.numpy().T, strict=True)
            ]
        return torch.from_numpy(np.stack(columns, axis=1))

    def _per_row(self, name: str, scores: np.ndarray, examples: Examples, rows: Rows) -> np.ndarray:
        """A member of windows -> of rows: that of residuals where they are, others the mean of windows over a row."""

        def cells() -> np.ndarray:
            if name != "residuals":
                return np.zeros(rows.raw.shape)
            found = passes.measure(
                self.model, rows.raw, rows.condition,
                lambda x, condition: self.scorer.log_residuals(Look(self.model, x, condition)), self.device,
            )  # fmt: skip
            return found.double().numpy()

        return self.modality.scores_per_row(scores, cells, examples)

    def parts(self, given: Given) -> np.ndarray:
        """What each member adds to the score of each row handed in, (T, M)."""
        return self.scorer.parts(self.members(given)).nan_to_num(0.0).numpy()

    def if_as_expected(self, rows: Rows, scores: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """For each cell of rows (N, D), alone: by how much the score falls if it is as expected, and what is expected.

        That is what the model fills in where the cell is missing, so that it cannot copy it.
        """
        n, D = rows.raw.shape
        fall, expected = torch.zeros(n, D, dtype=torch.float64), rows.raw.double().clone()
        constant = set(self.modality.constant_names)
        for d in [d for d, column in enumerate(self.modality.columns) if column.name not in constant]:
            raw = rows.raw.clone()
            raw[:, d] = torch.nan
            for _ in range(ROUNDS):
                filled = passes.reconstruct(self.model, raw, rows.condition, self.device)[:, d]
                raw[:, d] = filled.to(raw.dtype)
            expected[:, d] = raw[:, d].double()
            fall[:, d] = torch.from_numpy(scores - self.parts(Given(Rows(raw, rows.condition))).sum(1))
        return fall, expected

    def as_decoded(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """By how many nats each cell is less probable than is usual, given the code; its reconstruction: (N, *S)."""
        cells = passes.cell_log_prob(self.model, rows.raw, rows.condition, self.device).double()
        return self.scorer.usual - cells, passes.reconstruct(self.model, rows.raw, rows.condition, self.device)

    def of_instants(self, given: Given) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same of the channels of every instant handed in, and what is there: (T, C) each, in the order they came.

        Means of the windows over an instant; of categories expected is what most windows say.
        """
        examples, rows = given.examples, given.rows
        assert examples is not None and examples.layout is not None
        nats, decoded = self.as_decoded(rows)
        expected, observed = (examples.merged(examples.in_place(x.double().cpu()).numpy()) for x in (decoded, rows.raw))
        with np.errstate(invalid="ignore"):
            found = examples.per_row(nats.numpy())
        return tuple(map(examples.layout.as_handed_in, (found, expected, observed)))  # type: ignore[return-value]


def vectors_of(model: Autoencoder, rows: Rows, device: str) -> torch.Tensor:
    """(N, F), see `exemplars.vectors`."""
    return passes.measure(model, rows.raw, rows.condition, lambda x, _: vectors(model, x), device)


def residuals_of(model: Autoencoder, rows: Rows, device: str) -> torch.Tensor:
    """How far each cell is from its reconstruction, (N, *S)."""
    return passes.measure(model, rows.raw, rows.condition, lambda x, c: Look(model, x, c).residuals, device)
