import codecs
import unicodedata

import pytest

from noria.data import Text, builtin_text, normalised, read_text
from noria.errors import DataError

SPANISH = "El niño comió una manzana en la montaña y después volvió a casa.\n¿Qué pasó? Mañana llovió.\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (SPANISH.encode(), "UTF-8"),
        (codecs.BOM_UTF8 + SPANISH.encode(), "UTF-8 with a byte order mark"),
        (codecs.BOM_UTF16_LE + SPANISH.encode("utf-16-le"), "UTF-16 with a byte order mark"),
        (codecs.BOM_UTF16_BE + SPANISH.encode("utf-16-be"), "UTF-16 with a byte order mark"),
        (codecs.BOM_UTF32_LE + SPANISH.encode("utf-32-le"), "UTF-32 with a byte order mark"),
        (codecs.BOM_UTF32_BE + SPANISH.encode("utf-32-be"), "UTF-32 with a byte order mark"),
        (SPANISH.encode("latin-1"), "cp1252"),
    ],
)
def test_every_encoding_gives_the_same_characters(tmp_path, raw, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    text = read_text(path)
    assert text.text == SPANISH
    assert text.encoding == encoding
    assert text.source == str(path)
    assert read_text(raw).text == SPANISH


def test_a_guessed_encoding_is_said_with_the_place_that_is_not_utf8():
    text = read_text(b"one\ntwo\nma\xf1ana y a\xf1o\n")
    assert text.text == "one\ntwo\nmañana y año\n"
    (note,) = text.notes
    assert "cp1252" in note
    assert "0xf1 at offset 10, line 3" in note


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gb18030"])
def test_other_alphabets_are_guessed_from_enough_text(encoding):
    words = {
        "cp1251": "Привет, как дела? Это небольшой текст на русском языке.\n",
        "shift_jis": "日本語の文章です。これは短いテキストです。\n",
        "gb18030": "这是一个用来测试编码的短文本,里面只有常用的汉字。\n",
    }[encoding]
    assert read_text((words * 20).encode(encoding)).text == words * 20


def test_an_encoding_that_is_named_is_used_and_its_failure_says_where():
    assert read_text("año".encode("utf-16-le"), encoding="utf-16-le").text == "año"
    assert read_text("año".encode("mac_roman"), encoding="mac_roman").text == "año"
    assert read_text(codecs.BOM_UTF8 + b"abc", encoding="utf-8").text == "abc"
    with pytest.raises(DataError, match=r"expected utf-8, .* byte 0xf1 at offset 6, line 2"):
        read_text(b"uno\nma\xf1ana", encoding="utf-8")
    with pytest.raises(DataError, match=r"byte 0xf1 at offset 7, line 2"):
        read_text(codecs.BOM_UTF8 + b"a\nb\n"[:2] + b"ma\xf1ana", encoding="utf-8")
    for wrong in ("utf-9", "hex"):
        with pytest.raises(DataError, match="no text encoding named"):
            read_text(b"abc", encoding=wrong)


def test_binary_files_are_refused_with_the_offset():
    with pytest.raises(DataError, match="binary file: byte 5 is NUL"):
        read_text(b"abcde\0fg")
    with pytest.raises(DataError, match="NUL at character 1"):
        read_text("ab".encode("utf-16-le"), encoding="latin-1")
    with pytest.raises(DataError, match="no known encoding"):
        read_text(bytes(range(128, 160)) * 20 + bytes(range(1, 9)) * 40)


def test_nothing_to_read_is_said_each_in_its_own_words(tmp_path):
    empty = tmp_path / "empty.txt"
    empty.touch()
    with pytest.raises(DataError, match=r"empty\.txt: expected text, got an empty file"):
        read_text(empty)
    with pytest.raises(DataError, match="got no characters"):
        read_text(codecs.BOM_UTF8)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(DataError, match=r"expected a folder with \.txt files"):
        read_text(folder)
    with pytest.raises(DataError, match=r"no such file: '.*emtpy\.txt'\. Did you mean '.*empty\.txt'\?"):
        read_text(str(tmp_path / "emtpy.txt"))
    with pytest.raises(
        DataError, match=r"short string .* is the name of a file;\n.*in Python, noria\.data\.Text\("
    ):
        read_text("a short text that is no file")
    (tmp_path / "bin.txt").touch()
    with pytest.raises(DataError) as caught:
        read_text(str(tmp_path / "missing.txt"))
    assert "Did you mean" not in str(caught.value)
    with pytest.raises(DataError, match="or the name of a file, got an empty string"):
        read_text("")
    with pytest.raises(DataError, match="empty list"):
        read_text([])


def test_a_file_that_may_not_be_read_is_said(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "a.txt"
    path.write_text("abc")
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match=r"a\.txt: expected a readable file, got: permission denied"):
        read_text(path)


def test_a_string_is_a_path_or_a_text_by_one_rule(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").write_text("from the file")
    assert read_text("corpus").text == "from the file"
    assert read_text("corpus\n").text == "corpus\n"
    assert read_text("x" * 4097).text == "x" * 4097
    assert read_text(Text("corpus")).text == "corpus"
    assert read_text("corpus\n").encoding == "str"


def test_a_folder_is_read_in_the_order_of_names_and_several_files_in_theirs(tmp_path):
    (tmp_path / "b.txt").write_bytes("ñ b".encode("latin-1"))
    (tmp_path / "a.txt").write_bytes("ñ a".encode())
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.txt").write_text("c")
    (tmp_path / "notes.md").write_text("not read")
    text = read_text(tmp_path)
    assert text.text == "ñ a\n\nñ b\n\nc"
    assert text.encoding == "UTF-8, cp1252"
    assert text.notes[0].startswith("3 files joined by a blank line")
    assert any(note.startswith("b.txt: read as cp1252") for note in text.notes)
    assert read_text([tmp_path / "b.txt", tmp_path / "a.txt"]).text == "ñ b\n\nñ a"


def test_decomposed_letters_are_composed_and_line_ends_unified_and_both_are_said():
    raw = unicodedata.normalize("NFD", "el niño\r\nla niña\rfin\n").encode()
    text = read_text(raw)
    assert text.text == "el niño\nla niña\nfin\n"
    assert len(text.notes) == 2
    assert text.notes[0].startswith("2 line ends")
    assert text.notes[1] == "normalised to NFC: 22 characters became 20"
    assert read_text("el niño\n").notes == ()
    assert normalised(text.text) is text.text


@pytest.mark.parametrize(
    "text",
    [
        "q\u0323\u0307 has two marks that no single letter holds\n",
        "family: \U0001f468\u200d\U0001f469\u200d\U0001f467\n",
        "שלום \u202bمرحبا\u202c\n",
        "tab\tform feed\f escape\x1b bell\x07\n",
    ],
)
def test_no_character_is_lost(text):
    assert read_text(text.encode()).text == text
    assert read_text(text).text == text


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(DataError, match="surrogate pair at character 2"):
        read_text("a\n\ud83d")


def test_the_built_in_text_is_english_and_already_normalised():
    text = builtin_text()
    assert normalised(text.text) is text.text
    assert "\n\n" in text.text
    assert " the " in text.text
    assert text.text.isascii() or unicodedata.is_normalized("NFC", text.text)
    assert builtin_text() == text


def test_a_line_that_is_longer_than_any_name_of_a_file_is_a_text():
    assert read_text("abc def " * 60).text == "abc def " * 60
    with pytest.raises(DataError, match="no such file"):
        read_text("/".join(["folder"] * 60))
