"""The options of sampling from a trained model."""

from dataclasses import dataclass
from typing import Annotated

from noria.training.option import Option
from noria.training.optioned import Options


@dataclass(kw_only=True)
class SamplingOptions(Options):
    """How a trained model writes."""

    prompt: Annotated[
        str,
        Option(
            help="The text that the sample goes on from.",
            group="Sampling",
            aliases=("primetext",),
            reason="A text may begin anywhere.",
        ),
    ] = ""
    conditions: Annotated[
        str | None,
        Option(
            help="What is known of the sequence, of a model that begins with it: 'Italian', or by the names "
            "of the columns, 'country=Italian,year=1990'.",
            group="Sampling",
            reason="Of most texts nothing is known.",
        ),
    ] = None
    length: Annotated[
        int,
        Option(
            help="Symbols to write.",
            group="Sampling",
            minimum=1,
            reason="A dozen lines.",
        ),
    ] = 500
    temperature: Annotated[
        float,
        Option(
            help="Below 1 bolder on what is likely, above 1 freer.",
            group="Sampling",
            minimum=0,
            closed="neither",
            reason="A little below 1 makes up for the probability that a short training leaves on slips.",
        ),
    ] = 0.8
    top_k: Annotated[
        int,
        Option(
            help="Draw among the k likeliest symbols only; 0: among all.",
            group="Sampling",
            minimum=0,
            reason="The temperature keeps slips rare already.",
        ),
    ] = 0
    top_p: Annotated[
        float,
        Option(
            help="Draw among the likeliest symbols that together have this probability; 1: among all.",
            group="Sampling",
            minimum=0,
            maximum=1,
            closed="right",
            reason="The temperature keeps slips rare already.",
        ),
    ] = 1.0
    greedy: Annotated[
        bool,
        Option(
            help="Always take the likeliest symbol.",
            group="Sampling",
            reason="What is always likeliest soon goes round in circles.",
        ),
    ] = False
    seed: Annotated[
        int,
        Option(
            help="Where the draws start from.",
            group="Sampling",
            minimum=0,
            reason="Any number would do, and this one is easily told.",
        ),
    ] = 0
