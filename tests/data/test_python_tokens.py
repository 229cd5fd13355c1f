"""Characters of Python source tagged by token type, and the pieces that source is cut into."""

import itertools
import token

import pytest

from noria.data import python_tokens
from noria.data.builtin_tasks import builtin_data, code_tokens
from noria.data.python_tokens import STRING, python_tags, python_windows
from noria.errors import DataError

SOURCE = '''\
def f(x):  # why
    """Say
    so."""
    if x is None and \\
            2.5e3 < x:
        return rf"{x!r:>{4}}" + 'a\\'b'
    ñ = lambda match: match @ 0x1F
'''


def runs(source):
    """Give each run of one tag with its characters."""
    tags = python_tags(source)
    assert len(tags) == len(source)
    places = itertools.groupby(range(len(source)), key=lambda place: tags[place])
    return [(tag, "".join(source[place] for place in group)) for tag, group in places]


def test_each_character_has_the_type_of_its_token():
    assert [run for run in runs(SOURCE) if run[0] != "whitespace"] == [
        ("keyword", "def"),
        ("name", "f"),
        ("operator", "("),
        ("name", "x"),
        ("operator", "):"),
        ("comment", "# why"),
        ("string", '"""Say\n    so."""'),
        ("keyword", "if"),
        ("name", "x"),
        ("keyword", "is"),
        ("keyword", "None"),
        ("keyword", "and"),
        ("number", "2.5e3"),
        ("operator", "<"),
        ("name", "x"),
        ("operator", ":"),
        ("keyword", "return"),
        ("string", 'rf"{x!r:>{4}}"'),
        ("operator", "+"),
        ("string", r"'a\'b'"),
        ("name", "ñ"),
        ("operator", "="),
        ("keyword", "lambda"),
        ("name", "match"),
        ("operator", ":"),
        ("name", "match"),
        ("operator", "@"),
        ("number", "0x1F"),
    ]
    assert ("whitespace", " \\\n            ") in runs(SOURCE)


def test_an_f_string_is_one_string_however_many_tokens_it_has(monkeypatch):
    source = """x = f"a{f'{b}'}" + 1\n"""
    begins, middle, ends = 1001, 1002, 1003
    kinds = {"x": token.NAME, "b": token.NAME, "1": token.NUMBER, "a": middle, 'f"': begins, "f'": begins}
    kinds |= {'"': ends, "'": ends}
    pieces = [
        "x",
        "=",
        'f"',
        "a",
        "{",
        "f'",
        "{",
        "b",
        "}",
        "'",
        "}",
        '"',
        "+",
        "1",
    ]  # as Python 3.12 cuts it
    tokens, place = [], 0
    for piece in pieces:
        place = source.index(piece, place)
        kind = kinds.get(piece, token.OP)
        tokens.append((kind, piece, (1, place), (1, place + len(piece)), source))
        place += len(piece)
    monkeypatch.setattr(python_tokens, "_BEGINS", {begins})
    monkeypatch.setattr(python_tokens, "_ENDS", {ends})
    monkeypatch.setattr("tokenize.generate_tokens", lambda readline: tokens)
    assert [run for run in runs(source) if run[0] != "whitespace"] == [
        ("name", "x"),
        ("operator", "="),
        ("string", """f"a{f'{b}'}\""""),
        ("operator", "+"),
        ("number", "1"),
    ]


@pytest.mark.parametrize("size", [1, 10, 40, 1000])
def test_no_piece_begins_within_a_string_and_together_they_are_the_source(size):
    tags = python_tags(SOURCE)
    pieces = list(python_windows(SOURCE, tags, size))
    assert "".join(text for text, _ in pieces) == SOURCE
    assert list(itertools.chain(*(of_piece for _, of_piece in pieces))) == tags
    assert not any(text.startswith("    so.") for text, _ in pieces)
    assert all(len(text) >= size for text, _ in pieces[:-1])
    assert len(pieces) == {1: 6, 10: 6, 40: 3, 1000: 1}[size]


def test_what_is_not_python_is_named_with_its_place():
    with pytest.raises(DataError, match=r"a\.py, line 2, column .*: expected Python"):
        python_tags("x = 1\ny = $\n", "a.py")
    with pytest.raises(DataError, match=r"line [13].*: expected Python: .*EOF|unterminated"):
        python_tags('x = """\n\n')


def test_the_parts_of_the_data_set_share_no_file_and_follow_from_the_seed(monkeypatch):
    wanted = {"train": 200_000, "validation": 30_000, "test": 50_000}
    monkeypatch.setattr(code_tokens, "SIZES", wanted)
    parts = builtin_data("code-tokens", "tag", 3)
    again = builtin_data("code-tokens", "tag", 3)
    other = builtin_data("code-tokens", "tag", 4)
    assert (parts.train, parts.test) == (again.train, again.test)
    assert parts.test != other.test
    sizes = [sum(map(len, texts)) for texts, _ in (parts.train, parts.validation, parts.test)]
    for found, size in zip(sizes, wanted.values(), strict=True):
        assert size <= found < size + 200_000
    for texts, tags in (parts.train, parts.validation, parts.test):
        assert [len(text) for text in texts] == [len(of_text) for of_text in tags]
        assert max(map(len, texts)) <= 8_000
    learnt, tested = set(parts.train[0]), parts.test[0]
    assert not any(text in learnt for text in tested)
    used = {tag for of_text in parts.train[1] for tag in of_text}
    assert used == {"comment", "keyword", "name", "number", "operator", STRING, "whitespace"}
