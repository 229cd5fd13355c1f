"""``noria train --level words``, and what the other verbs make of its run."""

import json
import re
from pathlib import Path

import pytest

from cli_commands import Command

TEXT = "the cat saw a dog.\nthe dog ran, and the cat ran too.\n" * 60 + "a yak ran.\n"


def test_from_a_file_to_words_and_their_figures(noria: Command, tmp_path: Path):
    book, run = tmp_path / "book.txt", tmp_path / "run"
    book.write_text(TEXT, encoding="utf-8")
    said = noria(
        *("train", book, "--level", "words", "--min-count", 2, "--cell", "rnn", "--hidden-size", 6),
        *("--batch-size", 2, "--seq-length", 8, "--steps", 4, "--out", run),
    )
    assert said.code == 0, said.err
    assert re.search(r"characters · \d+ words · train/validation/test", said.err)
    figures = r"perplexity \d+\.\d, \d\.\d{3} bits per character"
    assert re.search(
        rf"test \d\.\d+ nats \({figures}\) · Kneser-Ney 3-gram \d\.\d+ nats \({figures}\)", said.err
    )
    (tmp_path / "other.txt").write_text("the cat saw a gnu.\n", encoding="utf-8")
    scored = noria("evaluate", run, tmp_path / "other.txt")
    assert scored.out.startswith("nats per token ")
    assert "1 of 7 words is not in the model's vocabulary" in scored.out
    written = noria("sample", run, "--prompt", "the cat ", "--length", 5, "--json")
    assert json.loads(written.out)["text"].startswith("the cat ")
    refused = noria("sample", run, "--prompt", "the gnu")
    assert refused.code == 1
    assert "does not know ' gnu'" in refused.err


def test_a_limit_of_one_is_refused(noria: Command, tmp_path: Path):
    book = tmp_path / "book.txt"
    book.write_text(TEXT, encoding="utf-8")
    said = noria("train", book, "--vocabulary-size", 1, "--dry-run")
    assert said.code == 1
    assert "'vocabulary_size' option of noria train must be 0 or an int of at least 3" in said.err
    assert "Traceback" not in said.err


def test_a_large_file_is_read_in_pieces(noria: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    book = tmp_path / "book.txt"
    book.write_text(TEXT + "señor\n" * 40, encoding="utf-8")
    small = noria("train", book, "--dry-run", "--json")
    monkeypatch.setattr("noria.data.mapped.LARGE", 100)
    large = noria("train", book, "--dry-run", "--json")
    assert "read in pieces" in large.err
    assert "read in pieces" not in small.err
    told = [json.loads(said.out)["data"] for said in (small, large)]
    for one in told:
        del one["notes"]
    assert told[0] == told[1]
    book.write_text(TEXT + "señor\n" * 40, encoding="latin-1")
    assert "read in pieces" not in noria("train", book, "--dry-run").err
    named = noria("train", book, "--dry-run", "--encoding", "latin-1")
    assert "latin-1" in named.err
    assert "read in pieces" in named.err
