"""Machine code on disk: found again, never another one's, and never a reason to fail."""

import os

import numpy as np
import pytest
from engine_problems import assert_same, evaluate, problem

from noria.compiler import compile_cell
from noria.engines.native import cache, host
from noria.engines.native.kernel import NativeKernel
from noria.engines.native.products import library
from noria.equations import Cell

CHOICES = (("tanh", "0.25"), ("tanh", "0.250000001"), ("sin", "0.25"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    library(np.dtype(np.float64))  # the products that all kernels share are not to be found in it
    monkeypatch.setenv("NORIA_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def anew(one):
    """Bind without the kernels that this process has compiled."""
    return NativeKernel(compile_cell(one.cell, one.keep), one.sizes, np.dtype(np.float64))


def compilations(monkeypatch):
    """Count the modules that are turned into machine code."""
    counted = []
    real = host._parsed
    monkeypatch.setattr(host, "_parsed", lambda module: (counted.append(1), real(module))[1])
    return counted


def test_code_is_compiled_once_and_then_loaded(folder, monkeypatch):
    one = problem("lstm", D=5, H=9, lengths=(4, 3, 1))
    counted = compilations(monkeypatch)
    expected = evaluate(anew(one), one)
    first = len(counted)
    assert first > 0
    assert_same(evaluate(anew(one), one), expected)
    assert len(counted) == first
    assert sorted(path.stat().st_mode & 0o777 for path in folder.iterdir())[0] == 0o600


def test_every_difference_in_what_is_asked_gives_another_file(folder):
    """Constants, sizes, precision, what is kept: all of it is in the name."""
    texts = [f"h' = {function}(W @ x + U @ h + {number})" for function, number in CHOICES]
    for number, text in enumerate(texts):
        one = problem(Cell.parse(text, name="one name for all"), D=4, H=4, lengths=(2,))
        evaluate(anew(one), one)
        assert len(list(folder.iterdir())) == 2 * (number + 1)  # with and without what the backward needs
    one = problem(Cell.parse(texts[0], name="one name for all"), D=5, H=4, lengths=(2,))
    evaluate(anew(one), one)
    assert len(list(folder.iterdir())) == 2 * (len(texts) + 1)


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "folder"])
def test_a_damaged_file_is_as_good_as_none(folder, monkeypatch, damage):
    one = problem("gru", D=5, H=9, lengths=(4, 3, 1))
    expected = evaluate(anew(one), one)
    for path in folder.iterdir():
        content = path.read_bytes()
        if damage == "folder":
            path.unlink()
            path.mkdir()
            continue
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"empty": b"", "cut": content[:middle], "changed": changed}[damage])
    counted = compilations(monkeypatch)
    assert_same(evaluate(anew(one), one), expected)
    assert counted


@pytest.mark.parametrize("where", ["off", "OFF", "a file"])
def test_where_nothing_can_be_kept_nothing_fails(tmp_path, monkeypatch, where):
    if where == "a file":
        (tmp_path / "file").write_text("not a folder")
        where = str(tmp_path / "file" / "below")
    monkeypatch.setenv("NORIA_CACHE", where)
    one = problem("rnn", D=5, H=9, lengths=(4, 3, 1))
    counted = compilations(monkeypatch)
    evaluate(anew(one), one)
    before = len(counted)
    evaluate(anew(one), one)
    assert len(counted) == 2 * before
    assert not [path for path in tmp_path.rglob("*") if path.name != "file"]


def test_the_oldest_files_make_room_and_nobody_elses(folder, monkeypatch):
    monkeypatch.setattr(cache, "KEPT", 3)
    folder.mkdir()
    for number in range(4):
        (folder / f"letter {number}").write_text("not code")
        os.utime(folder / f"letter {number}", (0, 0))
    names = [cache.name_of(f"code {number}") for number in range(5)]
    for number, name in enumerate(names):
        cache.store(name, bytes([number]))
        os.utime(folder / name, (number + 1, number + 1))
    assert [name for name in names if cache.load(name)] == names[2:]
    assert cache.load(names[4]) == bytes([4])
    assert len(list(folder.glob("letter*"))) == 4


def test_the_folder_follows_the_environment(monkeypatch):
    monkeypatch.delenv("NORIA_CACHE", raising=False)
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.folder() == cache.Path("/somewhere/noria")
    monkeypatch.setenv("NORIA_CACHE", "/elsewhere")
    assert cache.folder() == cache.Path("/elsewhere")
