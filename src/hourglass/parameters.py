"""What every estimator can be told, declared and described once, for Python and the command line alike. No torch.

Each class is a dataclass mixin: an estimator inherits its fields, the command line flattens them into options.
"""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal


@dataclass(kw_only=True, eq=False, repr=False)
class Network:
    """The parts of the model.

    Parameters
    ----------
    likelihood : str or None
        "gaussian", "laplace" or "bernoulli". By default it is inferred: Bernoulli for two values only, else Gaussian;
        categories are found by themselves. With greyscale pictures, the Bernoulli takes a grey level, between the
        smallest and the largest at fit, as the probability to be reconstructed.
    variance : "shared", "partial", "feature", float or None
        Variance of the Gaussian: fitted as one number, one per feature, or fixed (in units of the data's own variance).
        "partial" is shared in training, and after it one per feature. By default that for tables, else "shared".
    hidden : tuple of int or None
        Widths of the encoder's hidden layers; the decoder mirrors them. () makes encoder and decoder linear.
    network : str or None
        "mlp", "conv" or "residual"; tables have "mlp" alone. By default the kind of data and the size of an example
        decide, and on a GPU large pictures get "residual".
    activation : "silu", "relu", "gelu", "tanh" or "sigmoid"
        Activation function of the hidden layers.
    """

    likelihood: str | None = None
    variance: Literal["shared", "partial", "feature"] | float | None = None
    hidden: tuple[int, ...] | None = None
    network: str | None = None
    activation: Literal["silu", "relu", "gelu", "tanh", "sigmoid"] = "silu"

    def check_network(self) -> None:
        """Raises ValueError for a value that no network can be built from."""
        if self.hidden is not None:
            if not isinstance(self.hidden, (tuple, list)):
                raise ValueError(f"hidden={self.hidden!r} must be a tuple of widths, such as (64,) or (64, 32)")
            if any(not isinstance(h, Integral) or h < 1 for h in self.hidden):
                raise ValueError(
                    f"hidden={self.hidden!r} must hold whole numbers of at least 1; () makes the networks linear"
                )
        if self.variance not in (None, "shared", "partial", "feature") and (
            not isinstance(self.variance, Real) or not 0 < self.variance < math.inf
        ):
            raise ValueError(
                f"variance={self.variance!r} is unknown; choose 'shared', 'partial', 'feature' or a positive number"
            )
        if self.likelihood == "bernoulli" and self.variance is not None:
            raise ValueError(f"variance={self.variance!r} is of a Gaussian; leave it out with likelihood='bernoulli'")


@dataclass(kw_only=True, eq=False, repr=False)
class Training:
    """How the model is trained.

    Parameters
    ----------
    max_epochs : int or None
        Most passes through the data, and the horizon of the learning rate's cosine. By default the size of the data
        decides.
    batch_size : int or None
        Batch size, in examples. By default the size of the data decides.
    learning_rate : float or None
        Peak learning rate; it rises in a short warm-up and falls along a cosine. By default the batch size decides.
    validation_fraction : float
        Share of the examples held out for early stopping (at most 2,500); 0 trains on all of them to the end.
    patience : int or None
        Epochs without improvement before training stops; by default a fifth of the epochs, and at least 10.
    precision : "auto", "float32" or "bfloat16"
        Precision of training; "auto" takes bfloat16 for large networks where the processor is made for it.
    n_threads : int or None
        Threads of torch and numpy; by default they are left as they are.
    device : "auto", "cpu", "cuda" or "cuda:N"
        Where training and inference run; "auto" takes a GPU where there is one, "cuda:1" the second of several.
    random_state : int, RandomState or None
        Random seed: the same seed gives the same result. None takes another one each time.
    verbose : bool
        Show progress.
    """

    max_epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    validation_fraction: float = 0.1
    patience: int | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    n_threads: int | None = None
    device: str = "auto"
    random_state: Any = None
    verbose: bool = False

    def check_training(self) -> None:
        """Raises ValueError for a value that no run can have."""
        for name in ("max_epochs", "batch_size", "patience"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, Integral) or isinstance(value, bool) or value < 1):
                raise ValueError(f"{name}={value!r} must be a whole number of at least 1, or None")
        if not isinstance(self.validation_fraction, Real) or not 0 <= self.validation_fraction < 1:
            raise ValueError(f"validation_fraction={self.validation_fraction!r} must be at least 0 and below 1")
        if not isinstance(self.device, str) or not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device, re.ASCII):
            raise ValueError(
                f"device={self.device!r} is unknown; choose 'auto', 'cpu', 'cuda' or 'cuda:N', as 'cuda:1'"
            )
        rate = self.learning_rate
        if rate is not None and not (isinstance(rate, Real) and rate > 0):
            raise ValueError(f"learning_rate={rate!r} must be a positive number, or None")


@dataclass(kw_only=True, eq=False, repr=False)
class Detection:
    """How anomalies are scored, and how many false alarms may be raised.

    Parameters
    ----------
    false_alarm_rate : float
        Share of normal examples that may raise an alarm; it can be changed after the fit, without refitting.
    anomaly_score : str
        What the score is made of: "default" adds up the distance to the nearest of at most 2,000 stored rows,
        the residuals, and two distances of the code; of windows of series and the like the distances to stored
        windows and codes. "network" leaves the stored rows out; "encoder" is of the code alone, for which nothing is
        decoded; or one measure alone: "rows", "residuals", "rmse", "largest", "elbo", "reconstruction", "evidence",
        "kl", "mahalanobis", "codes".
    calibration_fraction : float or None
        Share of the examples that is held out to set the threshold, and never trained on. By default a tenth, but at
        least as many as the false-alarm rate needs, and at most a quarter or 10,000.
    trim : float
        Share of the examples that may be anomalies, up to 0.5: a first fit finds so many of the oddest, and a second
        one learns and calibrates without them. The false-alarm rate then holds if that share is right.
    groups : str or None
        A column of categories, such as the user or the machine: each of its values gets a threshold of its own, where
        it has enough examples kept apart, and all others the common one.
    """

    false_alarm_rate: float = 0.01
    anomaly_score: str = "default"
    calibration_fraction: float | None = None
    trim: float = 0.0
    groups: str | None = None

    def check_detection(self) -> None:
        """Raises ValueError for a value that no detector can have."""
        rate, share = self.false_alarm_rate, self.calibration_fraction
        if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 < rate < 1:
            raise ValueError(f"false_alarm_rate={rate!r} must lie between 0 and 1, such as 0.01")
        if share is not None and (isinstance(share, bool) or not isinstance(share, Real) or not 0 < share < 1):
            raise ValueError(f"calibration_fraction={share!r} must lie between 0 and 1, or be None")
        if isinstance(self.trim, bool) or not isinstance(self.trim, Real) or not 0 <= self.trim <= 0.5:
            raise ValueError(f"trim={self.trim!r} must lie between 0 and 0.5, such as 0.05")


@dataclass(kw_only=True, eq=False, repr=False)
class Denoising:
    """What noise is taken off pictures, and how it is learned.

    Parameters
    ----------
    noise : str or None
        The noise that clean pictures are given to learn from, in grey levels where white is 255: "gaussian:25",
        "gaussian:0-55" for all levels between, "poisson:30" (photons of a white pixel), "salt-pepper:0.1" and
        "masked:0.5" (shares of the pixels). By default the pictures are noisy themselves, and there are no clean ones.
    patch : int
        Pixels a side of what is learned from at once.
    """

    noise: str | None = None
    patch: int = 64


def descriptions(kind: type) -> dict[str, tuple[str, str]]:
    """Every parameter of a class and of those it inherits from: name -> (type, description), as documented there."""
    found: dict[str, tuple[str, str]] = {}
    for owner in kind.__mro__:
        text = inspect.cleandoc(owner.__dict__.get("__doc__") or "")
        section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", text, flags=re.MULTILINE | re.DOTALL)
        for name, type_, body in re.findall(
            r"^(\w+) : (.*?)\n((?:    .*\n?|\n)*)", section[1] if section else "", flags=re.MULTILINE
        ):
            found.setdefault(name, (type_, inspect.cleandoc(body).strip()))
    return found


def documented(kind: type) -> type:
    """The class, with the parameters of those it inherits from in its docstring."""
    lines = []
    for name, (type_, text) in descriptions(kind).items():
        lines += [f"{name} : {type_}", *(f"    {line}" for line in text.splitlines())]
    text = inspect.cleandoc(kind.__doc__ or "")
    first, _, rest = text.partition("\n\n")
    kind.__doc__ = "\n\n".join([first, "\n".join(["Parameters", "----------", *lines]), rest])
    return kind
