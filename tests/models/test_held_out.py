"""What of one text is held out where that is left open: a share of it, of a long one no more than tells."""

import pytest

from noria import LanguageModel
from noria.data import mapped
from noria.errors import OptionError
from noria.models.text import preparing
from noria.training.run_folder import RunFolder

TEXT = "the cat sat on the mat, and the dog lay by the log.\n" * 24
SMALL = {"cell": "gru", "hidden_size": 6, "batch_size": 2, "seq_length": 16, "sample_length": 0}
SAID = "valid_fraction became 0.032, test_fraction became 0.032: 40 characters tell enough"


@pytest.fixture(params=["whole", "in pieces"])
def source(request, tmp_path, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    if request.param == "in pieces":
        monkeypatch.setattr(mapped, "LARGE", 10)
    return path


def sizes(data, **options):
    prepared = LanguageModel(**SMALL, **options).prepare(data)
    parts = prepared.description.data
    assert parts.train + parts.validation + parts.test == len(TEXT)
    return parts.validation, parts.test, [note for note in prepared.description.notes if "became" in note]


def test_a_share_of_a_text_and_of_a_long_one_no_more_than_the_limit(source, monkeypatch):
    assert sizes(source) == (62, 62, [])
    monkeypatch.setattr(preparing, "MOST_HELD_OUT", 40)
    assert sizes(source) == (40, 40, [SAID])


def test_a_share_that_is_asked_for_has_no_limit(source, monkeypatch):
    monkeypatch.setattr(preparing, "MOST_HELD_OUT", 40)
    one = ["test_fraction became 0.032: 40 characters tell enough"]
    assert sizes(source, valid_fraction=0.25) == (312, 40, one)
    assert sizes(source, valid_fraction=0.25, test_fraction=0.0) == (312, 0, [])


def test_sequences_are_dealt_out_by_their_share(monkeypatch):
    monkeypatch.setattr(preparing, "MOST_HELD_OUT", 1)
    prepared = LanguageModel(**SMALL).prepare([line for line in TEXT.split("\n") if line] * 5)
    assert prepared.description.data.sequences == (108, 6, 6)
    assert prepared.decided == {"valid_fraction": 0.05, "test_fraction": 0.05}


def test_words_are_counted_by_their_characters(monkeypatch):
    monkeypatch.setattr(preparing, "MOST_HELD_OUT", 40)
    corpus = LanguageModel(**SMALL, level="words", min_count=1).prepare(TEXT).corpus
    ends = corpus.validation.characters + corpus.test.characters
    assert ends == 52, "cuts move on to the next line"


def test_the_plan_counts_with_what_is_held_out(tmp_path, monkeypatch):
    def evaluations(name):
        model = LanguageModel(**SMALL).fit(TEXT, steps=60, out=tmp_path / name)
        table = RunFolder.open(tmp_path / name).config
        assert table["options"]["valid_fraction"] == model.chosen_["valid_fraction"]
        return table["run"]["eval_every"]

    many = evaluations("all")
    monkeypatch.setattr(preparing, "MOST_HELD_OUT", 10)
    assert evaluations("some") < many


def test_a_run_keeps_its_parts_whatever_the_limit_becomes(tmp_path, monkeypatch):
    whole = LanguageModel(**SMALL).fit(TEXT, steps=12, out=tmp_path / "whole")
    LanguageModel(**SMALL, stop_after=5).fit(TEXT, steps=12, out=tmp_path / "cut")
    monkeypatch.setattr(preparing, "MOST_HELD_OUT", 10)
    gone_on = LanguageModel.resume(tmp_path / "cut", TEXT)
    assert gone_on.report_["test"] == whole.report_["test"]
    again = LanguageModel(**SMALL, stop_after=5).fit(TEXT, steps=12, out=tmp_path / "again")
    assert again.report_["test"] != whole.report_["test"]
    assert LanguageModel(**SMALL).fit(TEXT, resume=tmp_path / "again").report_["test"]["tokens"] == 10


@pytest.mark.parametrize("given", [{"valid_fraction": 0.97}, {"test_fraction": 0.96}])
def test_a_share_that_leaves_nothing_beside_the_other_is_refused(given):
    with pytest.raises(OptionError, match="leave something to train on"):
        LanguageModel(**SMALL, **given).fit(TEXT, steps=1)
    with pytest.raises(OptionError, match="leave something to train on"):
        LanguageModel(**SMALL, valid_fraction=0.6, test_fraction=0.4).validate()
    with pytest.raises(OptionError, match="needs a validation part"):
        LanguageModel(**SMALL, valid_fraction=0.0, patience=2).validate()
    LanguageModel(**SMALL, patience=2).validate()


def test_data_that_were_read_with_another_share(monkeypatch):
    read = LanguageModel(**SMALL, valid_fraction=0.25).prepare(TEXT)
    model = LanguageModel(**SMALL).fit(read, steps=40)
    assert model.chosen_["valid_fraction"] == 0.25
    assert model.report_["validation"]["tokens"] == 312
    with pytest.raises(OptionError, match=r"were read with valid_fraction=0.25. Got valid_fraction=0.1"):
        LanguageModel(**SMALL, valid_fraction=0.1).fit(read, steps=1)
