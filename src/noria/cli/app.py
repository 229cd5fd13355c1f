"""The ``noria`` command: its verbs, and what happens around every one of them."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError

from noria import __version__
from noria.cli.common import STANDARD_INPUT
from noria.cli.console import complain, tell
from noria.cli.headings import unwrapped
from noria.cli.termination import Termination
from noria.cli.threads import set_threads
from noria.errors import NoriaError

HELP = """Recurrent neural networks from their equations.

Begin with noria train: without a file it trains on a text that every Python brings along."""

VERBS = {
    "train": "Train a model, of text where no task is named, and say how good it is.",
    "sample": "Let a trained language model write.",
    "predict": "Let a trained model answer each row of a file.",
    "evaluate": "Measure a trained model on other data.",
    "info": "Say what is installed here, or what is in a run.",
    "options": "List every option with its default, and why it is that.",
    "explain": "Look inside a trained model while it reads: gates, states, attention, answers.",
    "gradient": "Say how far the gradient of a loss reaches back through time.",
    "draw": "Draw the network of a run, unrolled in time.",
    "summary": "List the layers of a run: shapes, parameters, arithmetic and memory per token.",
    "cite": "Give the BibTeX of a run: Noria, and the papers of what it used.",
    "cell": "List the cells, or show everything that is derived from one.",
    "check": "Check the gradients of a cell, or of your own NumPy code, and say what is wrong.",
    "compare": "Compare cells and options over seeds, with intervals, and write a report.",
    "report": "Write what a run or a study came to: a page, Markdown, PDF, figures.",
}
EXAMPLES = {
    "cell": ("noria cell list", "noria cell show lstm", "noria cell show mine.eq --latex"),
    "report": ("noria report runs/first --lang es",),
}
"""Commands for the help of verbs that give none themselves."""

WITH_SUBCOMMANDS = {"cell", "train"}
WITH_STANDARD_INPUT = {"train", "evaluate", "predict"}

OK, FAILED, USAGE, INTERRUPTED, BROKEN_PIPE, TERMINATED = 0, 1, 2, 130, 141, 143

ABOUT = {"--help", "-h", "--version"}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process; after SIGTERM, which is heeded as Ctrl-C is, with code 143.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``noria``; by default what this process was started with.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(
            stream, "reconfigure"
        ):  # what the terminal's encoding lacks is escaped, and never an error
            stream.reconfigure(errors="backslashreplace")
    termination = Termination()
    termination.heed()
    code = run(sys.argv[1:] if arguments is None else arguments)
    sys.exit(TERMINATED if code == INTERRUPTED and termination.came else code)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code.

    0 if all is well, 1 after an error, 2 for wrong usage, 130 after Ctrl-C, 141 where nobody reads on.
    """
    words = list(arguments)
    debug = "--debug" in words
    try:
        if words and not ABOUT & set(words):
            set_threads(words)
        if words and words[0] in WITH_STANDARD_INPUT:
            words = [STANDARD_INPUT if word == "-" else word for word in words]
        if words[:1] == ["train"] and any(word.startswith("--resume") for word in words):
            from noria.cli.tasks import with_task

            words = with_task(words)
        if words[:1] == ["compare"] and not ABOUT & set(words):
            from noria.cli.switches import with_truths

            words = with_truths(words)
        code = build(words[:1])(words, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
        return int(code or OK)
    except CycloptsError as error:
        verb = " ".join(error.command_chain or ())
        complain(str(error))
        tell(f"  See: {' '.join(f'noria {verb}'.split())} --help")
        return USAGE
    except KeyboardInterrupt:
        tell("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output had enough: `noria sample RUN | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except NoriaError as error:
        if debug:
            raise
        complain(str(error))
        return FAILED
    except MemoryError as error:
        if debug:
            raise
        complain(f"there is not enough memory for this: {str(error) or 'none was left'}.")
        tell("  Smaller layers, batches, windows or files need less.")
        return FAILED
    except Exception as error:
        if debug:
            raise
        complain(f"{type(error).__name__}: {error}")
        tell("  This is a fault of Noria's and not of yours. --debug shows where it comes from.")
        return FAILED


def build(called: Sequence[str] = ()) -> App:
    """Make the cyclopts application. A verb's module is imported when that verb is called, and not before.

    Parameters
    ----------
    called : sequence of str
        The verb that is called: its help is what its function says, not the line for the list of verbs. (A
        verb with subcommands is one App for the whole process: what was its help before says nothing.)
    """
    app = App(
        name="noria",
        help=HELP,
        help_format="plaintext",
        version=__version__,
        suppress_keyboard_interrupt=False,
    )
    for place, (verb, summary) in enumerate(VERBS.items()):
        target = f"noria.cli.{verb}:{'app' if verb in WITH_SUBCOMMANDS else verb}"
        app.command(target, name=verb, help=summary, sort_key=place)
    for verb in set(called) & set(VERBS):
        function = app[verb].default_command
        about = (function and function.__doc__) or VERBS[verb]
        app[verb].help = "\n\n".join((unwrapped(about), *EXAMPLES.get(verb, ())))
    return app
