"""What ``--help`` says: each verb what it does, at length, with commands that can be typed as they are."""

import re
import shlex
from itertools import pairwise

import pytest

from cli_commands import Command
from noria.cli.app import USAGE, VERBS, WITH_SUBCOMMANDS
from noria.models.loading import MODELS

PAGES = [*((verb,) for verb in VERBS), *(("train", task) for task in MODELS)]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


def described(text: str) -> list[str]:
    """Give the paragraphs between the usage and the first box."""
    return [part.strip() for part in text.split("\n\n")[1:] if part.strip() and not part.startswith("╭")]


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_every_verb_says_what_it_does_and_gives_an_example(noria: Command, page: tuple[str, ...]):
    said = noria(*page, "--help")
    assert said.code == 0
    paragraphs = described(said.out)
    summary, *rest = paragraphs
    assert re.fullmatch(r"[A-Z].*\.", summary), "one sentence or two, on a line of its own"
    examples = [shlex.split(line) for line in rest if re.search(rf"\bnoria {page[0]}\b", line[:40])]
    examples = [words for words in examples if "noria" in words and not words[-1].endswith(".")]
    assert examples, "a command to begin with"
    if len(page) == 1 and page[0] not in WITH_SUBCOMMANDS:
        assert len(rest) > len(examples), "more than the summary"
    for words in examples:
        typed = words[words.index("noria") + 1 :]
        assert typed[0] == page[0]
        flags = {word for word in typed if word.startswith("--")}
        where = noria(*typed[:2], "--help").out if page[0] in WITH_SUBCOMMANDS else said.out
        assert not {flag for flag in flags if f"{flag} " not in where and f"{flag}\n" not in where}, typed


def test_help_does_not_hang_on_what_was_typed_before(noria: Command):
    before = {verb: noria(verb, "--help").out for verb in WITH_SUBCOMMANDS}
    assert noria("trian").code == USAGE  # every verb is looked at, for one of a like name
    assert {verb: noria(verb, "--help").out for verb in WITH_SUBCOMMANDS} == before


def test_the_list_of_verbs_has_one_line_for_each(noria: Command):
    said = noria("--help").out
    for verb, summary in VERBS.items():
        assert re.search(rf"│ {verb} +{re.escape(summary)}", said)


def test_paragraphs_have_the_width_of_the_terminal(noria: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "70")
    lines = [line.rstrip() for line in noria("check", "--help").out.split("╭")[0].splitlines()]
    assert max(map(len, lines)) <= 70
    pairs = [pair for pair in pairwise(lines) if all(pair)]
    assert len(pairs) >= 3
    for line, following in pairs:
        assert len(f"{line} {following.split()[0]}") >= 70, "no line ends before it is full"
