"""``noria sample``: a trained model writes, character by character, to standard output."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from noria.cli.common import Debug, Json, Threads
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say
from noria.cli.flags import flag, option_flags, parsed, with_flags
from noria.errors import OptionError
from noria.training.options import SamplingOptions, options_of

OPTIONS = options_of(SamplingOptions)
WHO = "noria sample"


def _sample(
    run: Annotated[Path, Parameter(help="The run folder of a trained model.")], /, **flags: Any
) -> int:
    """Let a trained model write; the text appears as it is drawn.

    The same run, seed and options write the same text. Lower temperatures write what is likelier; --greedy
    writes what is likeliest, at each step.

    noria sample runs/first --prompt "The " --length 400 --temperature 0.7
    """
    from noria.models import load

    options = SamplingOptions(**parsed(OPTIONS, flags, WHO))
    options.validate(WHO)
    chosen = {info.name: getattr(options, info.name) for info in OPTIONS}
    model = load(run)
    if not hasattr(model, "sample"):
        raise OptionError(
            f"{run}: a model of task {model.task!r} does not write.\n"
            f"  Let it answer: noria predict {run} FILE"
        )
    model.threads = flags["threads"] or model.threads
    if model.report_.get("steps") == 0:
        say(
            "Note",
            f"{run} was stopped before its first step; initial weights write noise",
        )
    pieces = model.stream(chosen.pop("prompt"), **chosen)
    with compilation_said():
        if flags["json"]:
            give_json({"run": str(run), "options": options.to_toml_dict(), "text": "".join(pieces)})
            return 0
        for piece in pieces:
            give(piece)
    give("\n")
    return 0


sample = with_flags(
    _sample,
    [
        *option_flags(OPTIONS),
        flag("threads", Threads, 0),
        flag("json", Json, False),
        flag("debug", Debug, False),
    ],
)
