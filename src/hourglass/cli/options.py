"""Options that several commands share, each declared and described once.

The parameters of every estimator are declared in `hourglass.parameters`; here they become options.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from cyclopts import Group, Parameter

from hourglass.parameters import Denoising, Detection, Network, Training
from hourglass.shell_words import NAMES, in_shell_words, option

FLATTENED = Parameter(name="*")  # the fields of a dataclass become options of their own
OF_DATA, OF_KIND = (Parameter(group=Group(name, sort_key=k)) for k, name in enumerate(("Data", "Kind of data")))
SEED: tuple[Any, Any] = (int, 0)  # type and default of random_state: in the shell, runs are repeatable unless asked


def as_options(kind: type, *, only: Collection[str] = (), without: Collection[str] = ()) -> Any:
    """The fields of a dataclass as options that are None where not given, under their names in the shell.

    Parameters
    ----------
    kind : a dataclass with a numpydoc docstring, which is where the options' descriptions are read.
    only, without : names of fields to take, or to leave out.
    """
    hints = get_type_hints(kind)
    fields: list[Any] = []
    described = _descriptions(kind.__doc__ or "")
    for field in dataclasses.fields(kind):
        if field.name in without or (only and field.name not in only):
            continue
        name = NAMES.get(field.name, field.name)
        hint, value = SEED if field.name == "random_state" else (hints[field.name], field.default)
        default = False if value is None else str(value)
        text = described[field.name]
        if field.name == "random_state":
            text, default = text.partition(". ")[0] + ".", str(value)
        about = Parameter(group=Group(kind.__name__, sort_key=2), help=text, show_default=default)
        fields.append((name, Annotated[hint | None, about], None))
    return dataclasses.make_dataclass(f"{kind.__name__}Options", fields, kw_only=True, frozen=True)


def _descriptions(docstring: str) -> dict[str, str]:
    """Name -> what a numpydoc docstring says of it, in the shell's words."""
    found = re.findall(r"^    (\w+) : .*\n((?:        .*\n?)+)", docstring, flags=re.MULTILINE)
    words = {name: re.sub(r'"(\w+)"', r"\1", " ".join(text.split())) for name, text in found}
    return {name: in_shell_words(text) for name, text in words.items()}


Split = Literal["train", "test", "all"]

if TYPE_CHECKING:  # classes made while running cannot be followed

    class NetworkOptions: ...

    class TrainingOptions: ...

    class SeedOption: ...

    class DetectionOptions: ...

    class DenoisingOptions: ...

else:
    NetworkOptions = as_options(Network)
    TrainingOptions = as_options(Training, without=("random_state", "verbose"))
    SeedOption = as_options(Training, only=("random_state",))
    DetectionOptions = as_options(Detection)
    DenoisingOptions = as_options(Denoising)


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """How a .csv or .tsv file is read.

    Parameters
    ----------
    header
        Whether the first line of a .csv or .tsv file names its columns. By default that is guessed from the file.
    null_words
        Words that mean a missing value in a .csv or .tsv file, in all columns: "NA,unknown". By default they are NA,
        NULL, nan, ? and the like, in columns of numbers alone. An empty cell is always missing.
    """

    header: Annotated[Literal["yes", "no"] | None, OF_DATA] = None
    null_words: Annotated[list[str] | None, OF_DATA] = None


@dataclass(frozen=True, kw_only=True)
class DataOptions(FileOptions):
    """What is learned from.

    Parameters
    ----------
    condition
        Condition the model on extra information: a column of DATA, a FILE with one row per example, or "labels" for the
        labels that come with the data. `hourglass sample` then takes the value to sample for.
    labels
        A column of DATA, or a FILE, that colours the report. Never used for learning.
    drop
        Columns to take out.
    split
        The part of a public data set. By default train.
    """

    condition: Annotated[str | None, OF_DATA] = None
    labels: Annotated[str | None, OF_DATA] = None
    drop: Annotated[list[str] | None, OF_DATA] = None
    split: Annotated[Split | None, OF_DATA] = None


@dataclass(frozen=True, kw_only=True)
class KindOptions:
    """What kind of data it is, and what is to be known of it.

    Parameters
    ----------
    modality
        The kind of data and its options, in words: "tables categories=code,store", "images resize=64 crop=yes",
        "text column=message fields=typed". By default it goes by the look of DATA. The following
        options are short for such words.
    counts
        Columns that hold counts (0, 1, 2, ...).
    categories
        Columns whose numbers stand for categories, such as product codes. Texts are categories anyway.
    numbers
        Columns whose numbers measure something, where they look like identifiers.
    identifiers
        Columns to carry along without learning from them. Identifiers and free text are noticed; --drop takes columns
        out altogether.
    day_first
        Columns of dates that begin with the day, such as 31/12/2024. ISO dates (2024-12-31) are noticed.
    month_first
        Columns of dates that begin with the month, such as 12/31/2024.
    binarise
        Resample every pixel on each pass, with its grey level as the probability of white.
    resize
        Bring pictures to this side in pixels, or to a height and a width.
    crop
        Keep the proportions of pictures when they are resized, and cut out the middle.
    grey
        Make all pictures grey.
    """

    modality: Annotated[str | None, OF_KIND] = None
    counts: Annotated[list[str] | None, OF_KIND] = None
    categories: Annotated[list[str] | None, OF_KIND] = None
    numbers: Annotated[list[str] | None, OF_KIND] = None
    identifiers: Annotated[list[str] | None, OF_KIND] = None
    day_first: Annotated[list[str] | None, OF_KIND] = None
    month_first: Annotated[list[str] | None, OF_KIND] = None
    binarise: Annotated[Literal["dynamic"] | None, OF_KIND] = None
    resize: Annotated[list[int] | None, OF_KIND] = None
    crop: Annotated[bool, OF_KIND] = False
    grey: Annotated[bool, OF_KIND] = False


READING = ("split", "header", "null_words")  # how DATA is read
SHORT = tuple(field.name for field in dataclasses.fields(KindOptions) if field.name != "modality")


@dataclass(frozen=True, kw_only=True)
class ModelArguments(TrainingOptions, NetworkOptions, KindOptions, DataOptions):
    """What data, what network, and how it is trained: shared by all commands that train."""

    def given(self) -> dict[str, Any]:
        """The options that were given, by name."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if value is not None and value is not False}


@dataclass(frozen=True, kw_only=True)
class FitArguments(SeedOption, DetectionOptions, DenoisingOptions, ModelArguments):
    """What a run is started with, and continued with.

    Parameters
    ----------
    task
        What the model is for: embed, the default, for codes, samples and filled-in tables; detect, for `hourglass
        detect`, which finds anomalies; denoise, for `hourglass denoise`, which takes noise off pictures.
    normal
        With --labels: learn from records with this label alone, such as normal.
    recipe
        The kind of autoencoder, vae by default; `hourglass recipes` lists them. More words change it: "vae kl=0.1"
        weights a term, "ae RandomAffine GaussianNoise=1" shows the encoder moved and noisy pictures.
    n_latent
        Size of the latent code. By default it is estimated from the data.
    stream
        Read a Parquet table in chunks. By default that is done above 1 GB.
    """

    data: Annotated[str | None, Parameter(parse=False)] = None
    task: Literal["embed", "detect", "denoise"] | None = None
    normal: Annotated[str | None, OF_DATA] = None
    recipe: str | None = None
    n_latent: int | None = None
    stream: bool = False


def estimator_parameters(arguments: dict[str, Any]) -> dict[str, Any]:
    """Options by name -> the parameters of `Network`, `Training` and the tasks that they set."""
    python = {option: name for name, option in NAMES.items()}
    known = {field.name for kind in (Network, Training, Detection, Denoising) for field in dataclasses.fields(kind)}
    values = {python.get(option, option): value for option, value in arguments.items()}
    values = {name: value for name, value in values.items() if name in known}
    if "hidden" in values:  # 0 is the shell's way to say none
        values["hidden"] = tuple(width for width in values["hidden"] if width != 0)
    return values


def as_words(arguments: dict[str, Any]) -> list[str]:
    """Options by name -> the words of a command line that gives them again."""
    words = []
    for name, value in arguments.items():
        several = list(value) if isinstance(value, list | tuple) else [] if value is True else [value]
        words += [option(name), *map(str, several)]
    return words
