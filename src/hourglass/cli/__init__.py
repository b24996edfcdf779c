"""The command `hourglass`. Nothing here imports torch, numpy or scikit-learn before a command needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Parameter

from hourglass import __version__
from hourglass.cli import errors
from hourglass.cli.compare import compare
from hourglass.cli.datasets import datasets
from hourglass.cli.demo import demo
from hourglass.cli.denoise import denoise
from hourglass.cli.detect import detect
from hourglass.cli.embed import embed
from hourglass.cli.fit import fit
from hourglass.cli.impute import impute
from hourglass.cli.recipes import recipes
from hourglass.cli.reconstruct import reconstruct
from hourglass.cli.report import report
from hourglass.cli.sample import sample
from hourglass.cli.score import score
from hourglass.out_of_memory import is_out_of_memory

HELP = """Autoencoders for any data: learn a small code for every example, see what it means, put it to work.

First steps: `hourglass demo`, then `hourglass fit DATA`. DATA is a .csv, .tsv, .parquet, .npy or .npz file, a folder of
pictures, or the name of a public data set (`hourglass datasets`). Each command has its own --help.
"""

app = App(
    "hourglass",
    help=HELP,
    help_format="markdown",
    version=f"hourglass {__version__}",
    default_parameter=Parameter(
        negative="",
        consume_multiple=True,
        show_default=lambda value: None if value is None or value is False else str(value),
    ),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
COMMANDS: dict[Callable[..., None], str] = {  # and what stands behind them at least
    fit: "DATA",
    embed: "RUN [DATA] --out FILE",
    reconstruct: "RUN [DATA] --out FILE",
    score: "RUN [DATA] --out FILE",
    detect: "RUN [DATA] --out FILE",
    denoise: "RUN SOURCE OUT",
    impute: "RUN [DATA] --out FILE",
    sample: "RUN --out FILE",
    report: "RUN [DATA]",
    compare: "DATA",
    recipes: "",
    datasets: "",
    demo: "",
}
for number, (command, words) in enumerate(COMMANDS.items()):
    usage = " ".join(filter(None, ["hourglass", command.__name__, words, "[OPTIONS]"]))
    app.command(command, sort_key=number, usage=f"Usage: {usage}")
app.register_install_completion_command(help="Install completion of commands and options for this shell.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0; 1 for data or a disk that cannot be used; 2 for wrong usage.

    Set HOURGLASS_DEBUG=1 to see tracebacks.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    with errors.plain_warnings(), errors.terminated_as_interrupted():
        try:
            app(tokens, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            return errors.report(error, errors.USAGE)
        except KeyboardInterrupt:
            errors.say("stopped")
            return errors.INTERRUPTED
        except errors.USERS as error:
            return errors.report(error, errors.code_of(error))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return errors.report(error, errors.FAILED)
    return 0


__all__ = ["app", "main"]
