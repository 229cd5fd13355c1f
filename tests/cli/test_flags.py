"""The table of options as flags."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from cyclopts import App, CycloptsError

from noria.cli.flags import flag, option_flags, parsed, with_flags
from noria.errors import OptionError
from noria.training.options import Option, Options, options_of


@dataclass(kw_only=True)
class Wheel(Options):
    buckets: Annotated[
        int | list[int], Option(help="How many.", group="Model", minimum=1, aliases=("num_buckets",))
    ] = 12
    leak_rate: Annotated[
        float,
        Option(
            help="What is lost.", group="Training", minimum=0, maximum=1, closed="left", reason="It is old."
        ),
    ] = 0.25
    oiled: Annotated[bool, Option(help="Whether it squeaks.", group="Model")] = False
    turning: Annotated[bool, Option(help="Whether there is water.", group="Model")] = True
    wood: Annotated[str, Option(help="Of what.", group="Model", choices=("oak", "pine"))] = "oak"


INFOS = options_of(Wheel)


def called(*words: str) -> dict[str, object]:
    """Give the options that a command line comes to."""
    seen = {}

    def turn(**flags) -> int:
        seen.update(parsed(INFOS, flags, "Wheel"))
        seen["twice"] = flags["twice"]
        return 0

    app = App(name="wheel", result_action="return_value")
    app.default(with_flags(turn, [*option_flags(INFOS), flag("twice", bool, False)]))
    app(words, exit_on_error=False, print_error=False)
    return seen


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (["--buckets", "7"], {"buckets": 7}),
        (["--buckets=7,9"], {"buckets": [7, 9]}),
        (["--num-buckets", "7"], {"buckets": 7}),
        (["--num_buckets", "7"], {"buckets": 7}),
        (["--leak_rate", "0.5", "--oiled"], {"leak_rate": 0.5, "oiled": True}),
        (["--no-turning"], {"turning": False}),
        (
            ["--leak-rate", "1e-3", "--wood", "pine", "--twice"],
            {"leak_rate": 1e-3, "wood": "pine", "twice": True},
        ),
    ],
)
def test_words_become_options(words, options):
    assert called(*words) == {"twice": False} | options


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--buckets", "0"],
            "The 'buckets' option of Wheel must be an int in [1, inf) or a list of these. Got '0'.",
        ),
        (["--buckets", "many"], "Got 'many'."),
        (["--leak-rate", "-1"], "a float in [0, 1). Got '-1'."),
        (["--leak-rate", "nan"], "a float in [0, 1). Got 'nan'."),
        (["--wood", "oka"], "Did you mean 'oak'?"),
    ],
)
def test_wrong_values_are_answered_by_the_table(words, said):
    with pytest.raises(OptionError) as caught:
        called(*words)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("words", "near"),
    [(["--bukets", "3"], "--buckets"), (["--leakrate", "0.1"], "--leak-rate"), (["--oild"], "--oiled")],
)
def test_unknown_flags_are_answered_by_the_nearest(words, near):
    with pytest.raises(CycloptsError) as caught:
        called(*words)
    assert f"Did you mean {near}?" in str(caught.value)


def test_help_says_what_the_table_says(capsys):
    def turn(**flags) -> int:
        return 0

    app = App(name="wheel")
    app.default(with_flags(turn, option_flags(INFOS)))
    app.help_print()
    shown = capsys.readouterr().out
    for words in (
        "--buckets",
        "--num-buckets",
        "How many.",
        "[default: 12]",
        "What is lost. [0, 1) Why: It is old.",
        "oak|pine",
        "--no-turning",
        "[default: on]",
        "Training",
    ):
        assert words in shown
