"""The built-in pairs: what is asked of them is what stands in their targets, and no part shares a source."""

import datetime

import pytest

from noria.data.builtin_tasks import builtin_data
from noria.data.builtin_tasks.transductions import FEW, IMPORTANCE, picked

NAMES = ["reverse", "sort", "pick"]


def parts(name, seed=0):
    data = builtin_data(name, "translate", seed)
    return [list(zip(*part, strict=True)) for part in (data.train, data.validation, data.test)]


@pytest.mark.parametrize("name", NAMES)
def test_parts_share_no_source_and_come_again_from_the_seed(name):
    train, validation, test = parts(name)
    assert [len(part) for part in (train, validation, test)] == [20_000, 1_000, 2_000]
    sources = [{source for source, _ in part if len(source) > FEW} for part in (train, validation, test)]
    assert not sources[0] & sources[2]
    assert not sources[0] & sources[1]
    assert not sources[1] & sources[2]
    assert parts(name) == [train, validation, test]
    assert parts(name, seed=1)[2] != test


def test_targets_are_what_they_should_be():
    for source, target in parts("reverse")[2]:
        assert target == "".join(reversed(source))
    for source, target in parts("sort")[2]:
        assert sorted(source) == list(target)
    for source, target in parts("pick")[2]:
        assert len(set(source)) == len(source) == 20
        ranks = sorted(IMPORTANCE.index(letter) for letter in source)
        assert sorted(IMPORTANCE.index(letter) for letter in target) == ranks[:5]
        places = [source.index(letter) for letter in target]
        assert places == sorted(places)


def test_picking_by_hand():
    assert picked("qabcdvhlz") == "qvhlz"


def test_all_lengths_are_there():
    lengths = {len(source) for source, _ in parts("reverse")[2]}
    assert lengths == set(range(1, 21))


def test_numbers_in_words(monkeypatch):
    monkeypatch.setattr("noria.data.builtin_tasks.numbers_es_en.COUNTS", (300, 20, 30))
    train, validation, test = parts("numbers-es-en")
    everything = dict(train + validation + test)
    assert len(everything) == len({*everything.values()})
    assert everything.get("dos", "two") == "two"
    assert not {s for s, _ in train} & {s for s, _ in validation + test}
    assert any(target.startswith("nine hundred and") for _, target in train + test)


def test_dates_in_many_languages(monkeypatch):
    pytest.importorskip("babel")
    monkeypatch.setattr("noria.data.builtin_tasks.dates.COUNTS", (3_000, 100, 200))
    train, validation, test = parts("dates")
    answers = {}
    for source, target in train + validation + test:
        datetime.date.fromisoformat(target)
        assert answers.setdefault(source, target) == target, "a date as written means one day"
    assert not {s for s, _ in train} & {s for s, _ in validation + test}
