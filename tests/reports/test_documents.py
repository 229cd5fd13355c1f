"""One document in three forms: what is in it is in each of them, and each is what it says it is."""

import re
import zlib

import pytest

from noria.errors import RunError
from noria.inspection.figures import figure, written
from noria.reports import pdf
from noria.reports.document import (
    Command,
    Document,
    Facts,
    Figure,
    Items,
    Paragraph,
    Passages,
    References,
    Section,
    Table,
)
from noria.reports.folder import refuse_other, write_report_folder
from noria.reports.html import as_html
from noria.reports.markdown import as_markdown
from noria.reports.pdf import as_pdf
from noria.reports.pictures import drawn
from page_checker import checked


def a_line(path):
    with figure(3.0, 2.0) as drawn_on:
        drawn_on.subplots().plot([1, 2, 4], [3, 1, 2])
        return written(drawn_on, path)


def document(language="en", *more):
    picture = Figure("line", "A line that first falls.", "From 3 it falls to 1 and rises to 2.", a_line)
    table = Table(
        "Two rows.", (("name", "size"), ("a|b *c*", "1"), ("<d>", "2")), marked=(1,), note="A note."
    )
    return Document(
        "Title & <tag>",
        language,
        (Paragraph("What matters.", lead=True), Facts((("Best?", "yes <b>"),)), Command("noria --x '<y>'")),
        (
            Section("First", (Items(("one", "two `ticks`")), table)),
            Section("Nothing", ()),
            Section(
                "Second",
                (picture, Passages((("g", "a\n  b\tc"), ("h", "```")))),
            ),
            Section(
                "Last", (References((("A book.", "https://example.org/a?b=1&c=2"), ("Mine.", ""))), *more)
            ),
        ),
    )


@pytest.fixture(scope="module")
def pictures():
    return drawn(document().figures())


def test_the_page_is_valid_and_complete(pictures):
    root = checked(as_html(document("es"), pictures))
    assert root.get("lang") == "es"
    words = "".join(root.itertext())
    for said in ("Title & <tag>", "What matters.", "yes <b>", "noria --x '<y>'", "a\n  b\tc", "two `ticks`"):
        assert said in words
    assert "Nothing" not in words
    assert [row.get("class") for row in root.findall(".//tbody/tr")] == [None, "marked"]
    assert root.find(".//a").get("href") == "https://example.org/a?b=1&c=2"
    assert root.find(".//img").get("alt") == "From 3 it falls to 1 and rises to 2."


def test_markdown_says_the_same():
    said = as_markdown(document())
    assert said.startswith("# Title & \\<tag>\n\n**What matters.**\n\n- **Best?**: yes \\<b>\n")
    assert "| a\\|b \\*c\\* | 1 |\n| **\\<d>** | **2** |" in said
    assert "![From 3 it falls to 1 and rises to 2.](figures/line.png)\n\n*A line that first falls.*" in said
    assert "````\n```\n````" in said
    assert "1. A book. <https://example.org/a?b=1&c=2>\n2. Mine." in said
    assert "Nothing" not in said


def test_the_pdf_has_pages_outline_language_links_and_words_for_its_figure(pictures):
    content = as_pdf(document("es"), pictures)
    assert content.startswith(b"%PDF-1.")
    assert content.count(b"/Type /Page\n") == 1
    assert b"/Lang (es)" in content
    assert b"https://example.org/a?b=1&c=2" in content
    assert content.count(b"/Subtype /Image") >= 1
    assert content.count(b"/Alt ") == 1
    for title in ("Title & <tag>", "First", "Second", "Last"):
        assert title.encode("utf-16-be") in content or title.encode() in content


def test_long_tables_and_texts_go_on_to_further_pages(pictures):
    rows = (("a", "b"), *((f"a rather long name of a variant, number {k}", "x" * 60) for k in range(70)))
    content = as_pdf(document("en", Table("Many.", rows), Paragraph("word " * 3000)), pictures)
    assert content.count(b"/Type /Page\n") > 5


def test_what_fonts_do_not_have_is_a_box(monkeypatch, pictures):
    shown = []
    monkeypatch.setattr(pdf._Page, "_lines", lambda page, text, height=0: shown.append(page._text(text)))
    as_pdf(Document("ñ 漢 →", "en", (Paragraph("tab\tbell\x07 emoji \U0001f9a0"),), ()), {})
    assert shown == ["ñ \u25a1 →", "tab    bell\u25a1 emoji \u25a1"]


def test_control_characters_do_not_break_a_page(pictures):
    text = "a\x00b\x1bc\ud800d\ufffee\x85f"
    root = checked(as_html(document("en", Passages((("t", text),))), pictures))
    assert "a\u2400b\u241bc\ufffdd\ufffde\ufffdf" in "".join(root.itertext())
    as_markdown(document("en", Paragraph(text))).encode()


def test_a_folder_holds_every_form_and_no_figure_of_before(tmp_path, pictures):
    place = tmp_path / "report"
    files = write_report_folder(place, document(), {"value": float("nan"), "n": 3})
    assert {str(file.relative_to(place)) for file in files} == {
        "report.html", "report.md", "report.pdf", "results.json", "figures/line.svg", "figures/line.png",
    }  # fmt: skip
    assert all(file.exists() for file in files)
    assert (place / "results.json").read_text() == '{\n  "value": null,\n  "n": 3\n}\n'
    (place / "figures" / "old.png").write_bytes(b"")
    (place / "figures" / "mine.txt").write_bytes(b"")
    refuse_other(place)
    write_report_folder(place, document(), {})
    assert {file.name for file in (place / "figures").iterdir()} == {"line.svg", "line.png", "mine.txt"}


def test_nothing_is_written_if_a_figure_cannot_be_drawn(tmp_path):
    def fails(path):
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        write_report_folder(
            tmp_path / "report", document("en", Figure("f", "A caption.", "Words.", fails)), {}
        )
    assert not (tmp_path / "report").exists()


def test_a_folder_with_something_else_is_refused(tmp_path):
    refuse_other(tmp_path / "new")
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(RunError, match=r"holds more than a report \(weights.bin\)"):
        refuse_other(tmp_path)
    with pytest.raises(RunError, match="is a file"):
        refuse_other(tmp_path / "weights.bin")


def test_pictures_are_text_that_stays_text_and_a_png(pictures):
    svg, png = pictures["line"].svg.decode(), pictures["line"].png
    assert re.search(r"<text[^>]*>", svg)
    assert png.startswith(b"\x89PNG")
    assert zlib.crc32(svg.encode()) == zlib.crc32(drawn(document().figures())["line"].svg)
