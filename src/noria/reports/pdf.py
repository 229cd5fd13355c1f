"""A report as PDF: A4, outline and links, the fonts inside it, every figure with its words."""

import io
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noria.inspection.figures import DPI
from noria.reports import document as doc
from noria.reports.pictures import Picture

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN = 18.0  # mm
TEXT, SMALL, CODE = 10.5, 9.0, 9.0  # points
LINE = 5.2  # mm between the lines of a paragraph
GAP = 2.5
INCH = 25.4
LEAST = 8.0
"""Points of a wide table, at least."""
FACE, MONO = "DejaVu Sans", "DejaVu Sans Mono"
FILES = {
    (FACE, ""): "DejaVuSans.ttf",
    (FACE, "B"): "DejaVuSans-Bold.ttf",
    (FACE, "I"): "DejaVuSans-Oblique.ttf",
    (MONO, ""): "DejaVuSansMono.ttf",
}
"""Of those that matplotlib brings along."""
TOGETHER = 14
"""Rows, at most, that are kept on one page."""
TALLEST = 118.0
"""mm of a figure, at most."""
ABSENT = "\u25a1"
"""What stands for a character that the fonts do not have."""
GREY, PALE, LINK = (70, 70, 70), (242, 242, 242), (0, 74, 128)


def as_pdf(document: doc.Document, pictures: Mapping[str, Picture]) -> bytes:
    """Write a document as PDF.

    Parameters
    ----------
    document : Document
    pictures : mapping of Picture
        By the names of the figures.
    """
    page = _Page(document, pictures)
    page.heading(document.title, 0)
    for block in document.opening:
        page.block(block)
    for section in document.shown_sections():
        page.heading(section.title, 1, section.blocks[0])
        for block in section.blocks:
            page.block(block)
    return page.finished()


class _Page:
    """Blocks below each other."""

    def __init__(self, document: doc.Document, pictures: Mapping[str, Picture]) -> None:
        self._pdf, self._pictures = _begun(document), pictures
        self._known = _characters()

    @property
    def _width(self) -> float:
        return float(self._pdf.epw)

    def finished(self) -> bytes:
        return bytes(self._pdf.output())

    def heading(self, text: str, level: int, first: doc.Block | None = None) -> None:
        """Write a heading, on the page of the block that follows."""
        pdf = self._pdf
        if level:
            pdf.ln(GAP)
            self._keep(14.0 + self._room(first))
        pdf.set_font(FACE, "B", (17.0, 13.0)[level])
        pdf.start_section(self._text(text), level=level)
        self._lines(text, LINE * (1.4, 1.15)[level])
        if level:
            pdf.set_line_width(0.4)
            pdf.line(pdf.l_margin, pdf.get_y() + 0.6, pdf.l_margin + self._width, pdf.get_y() + 0.6)
        pdf.ln(GAP)

    def block(self, block: doc.Block) -> None:
        match block:
            case doc.Paragraph(text, lead):
                self._pdf.set_font(FACE, "B" if lead else "", TEXT + 1 if lead else TEXT)
                self._lines(text)
            case doc.Items(lines):
                self._hanging([("•", line) for line in lines], 5.0, "")
            case doc.Facts(rows):
                self._hanging(list(rows), self._widest([asked for asked, _ in rows]), "B")
            case doc.Table():
                self._table(block)
            case doc.Figure():
                self._figure(block)
            case doc.Passages(rows):
                self._passages(rows)
            case doc.Command(text):
                self._pdf.set_font(MONO, "", CODE)
                self._pdf.set_fill_color(*PALE)
                self._pdf.multi_cell(
                    self._width,
                    4.6,
                    self._text(text, MONO),
                    align="L",
                    fill=True,
                    padding=2,
                    new_x="LMARGIN",
                    new_y="NEXT",
                )
                self._pdf.set_fill_color(255)
            case doc.References(rows):
                self._references(rows)
        self._pdf.ln(GAP)

    def _hanging(self, rows: Sequence[tuple[str, str]], indent: float, style: str) -> None:
        """Write rows of a word and what is said to it, which stands to its right on every line."""
        pdf = self._pdf
        for word, text in rows:
            pdf.set_font(FACE, "", TEXT)
            self._keep(LINE * (1 + pdf.get_string_width(self._text(text)) // (self._width - indent)))
            pdf.set_font(FACE, style, TEXT)
            pdf.cell(indent, LINE, self._text(word))
            pdf.set_font(FACE, "", TEXT)
            pdf.multi_cell(
                self._width - indent, LINE, self._text(text), align="L", new_x="LMARGIN", new_y="NEXT"
            )
            pdf.ln(0.6)

    def _table(self, table: doc.Table) -> None:
        pdf = self._pdf
        widths, size = self._columns(table.rows)
        self._caption(table.caption, room=self._room(table))
        pdf.set_font(FACE, "", size)
        pdf.set_line_width(0.2)
        alignment = ["LEFT", *["RIGHT"] * (len(table.rows[0]) - 1)]
        with pdf.table(
            width=sum(widths),
            col_widths=widths,
            text_align=alignment,
            align="LEFT",
            borders_layout="HORIZONTAL_LINES",
            line_height=0.5 * size,
            padding=(0.6, 1.2),
            headings_style=_bold(),
        ) as drawn:
            for number, cells in enumerate(table.rows, -1):
                row = drawn.row()
                for cell in cells:
                    row.cell(self._text(cell), style=_bold() if number in table.marked else None)
        if table.note:
            pdf.ln(1.0)
            self._caption(table.note, style="")

    def _columns(self, rows: Sequence[Sequence[str]]) -> tuple[tuple[float, ...], float]:
        """Give widths as the widest cells need them, and the size of the letters with which they fit."""
        pdf, space, size = self._pdf, 4.0, SMALL + 0.5
        while True:
            pdf.set_font(FACE, "B", size)
            columns = zip(*rows, strict=True)
            widths = [space + max(pdf.get_string_width(self._text(cell)) for cell in one) for one in columns]
            if sum(widths) <= self._width or size <= LEAST:
                break
            size -= 0.5
        excess = sum(widths) - self._width
        if excess > 0:  # the names are broken into lines
            widths[0] = max(0.25 * self._width, widths[0] - excess)
            share = min(1.0, (self._width - widths[0]) / max(sum(widths[1:]), 1e-9))
            widths[1:] = [width * share for width in widths[1:]]
        return tuple(widths), size

    def _figure(self, figure: doc.Figure) -> None:
        pdf, png = self._pdf, self._pictures[figure.name].png
        wide, high = self._size(figure)
        self._keep(self._room(figure))
        pdf.image(
            io.BytesIO(png),
            x=pdf.l_margin,
            w=wide,
            h=high,
            alt_text=doc.visible(figure.alternative),
        )
        pdf.ln(0.8)
        self._caption(figure.caption)

    def _room(self, block: doc.Block | None) -> float:
        """Give how much of a page a block needs at least, in mm."""
        if isinstance(block, doc.Figure):
            return self._size(block)[1] + 14.0
        if isinstance(block, doc.Table):
            widths, size = self._columns(block.rows)
            lines = 1 + (sum(widths) > 0.99 * self._width)  # of a row, whose name may be broken
            return 12.0 + 0.62 * size * lines * min(len(block.rows), TOGETHER // lines)
        return 26.0

    def _size(self, figure: doc.Figure) -> tuple[float, float]:
        """Give the width and the height of a figure on a page, in mm."""
        png = self._pictures[figure.name].png
        wide, high = (side / DPI * INCH for side in struct.unpack(">II", png[16:24]))  # its header
        scale = min(1.0, self._width / wide, TALLEST / high)
        return wide * scale, high * scale

    def _passages(self, rows: Sequence[tuple[str, str]]) -> None:
        """Set texts in columns, three at most beside each other."""
        pdf, across = self._pdf, 3 if len(rows) in (3, 5, 6) or len(rows) > 6 else min(2, len(rows))
        for begin in range(0, len(rows), across):
            some = [*rows[begin : begin + across], *[("", "")] * (across - len(rows[begin : begin + across]))]
            pdf.set_font(MONO, "", CODE - 0.5)
            pdf.set_line_width(0.2)
            with pdf.table(
                text_align="LEFT",
                v_align="TOP",
                line_height=4.2,
                padding=1.2,
                borders_layout="HORIZONTAL_LINES",
                headings_style=_bold(FACE),
                wrapmode="CHAR",
            ) as drawn:
                for cells, face in zip(zip(*some, strict=True), (FACE, MONO), strict=True):
                    row = drawn.row()
                    for cell in cells:
                        row.cell(self._text(cell, face))
            pdf.ln(1.5)

    def _references(self, rows: Sequence[tuple[str, str]]) -> None:
        pdf = self._pdf
        for number, (text, address) in enumerate(rows, 1):
            self._keep(2 * LINE)
            pdf.set_font(FACE, "", SMALL)
            pdf.write(LINE - 0.5, f"{number}. {self._text(text)} ")
            if address:
                pdf.set_text_color(*LINK)
                pdf.write(LINE - 0.5, self._text(address), link=address)
                pdf.set_text_color(0)
            pdf.ln(LINE)

    def _caption(self, text: str, *, room: float = 0.0, style: str = "I") -> None:
        self._keep(room)
        self._pdf.set_font(FACE, style, SMALL)
        self._pdf.set_text_color(*GREY)
        self._lines(text, LINE - 0.6)
        self._pdf.set_text_color(0)
        self._pdf.ln(0.6)

    def _lines(self, text: str, height: float = LINE) -> None:
        self._pdf.multi_cell(self._width, height, self._text(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def _keep(self, height: float) -> None:
        """Begin a new page where there is no room for so much on this one."""
        if self._pdf.will_page_break(height):
            self._pdf.add_page()

    def _widest(self, words: Sequence[str]) -> float:
        self._pdf.set_font(FACE, "B", TEXT)
        return 4.0 + max(self._pdf.get_string_width(self._text(word)) for word in words)

    def _text(self, text: str, face: str = FACE) -> str:
        """Give a text in characters that a font has; tabs as spaces."""
        known = self._known[face]
        shown = doc.visible(text).replace("\t", "    ")
        return "".join(one if ord(one) in known or one == "\n" else ABSENT for one in shown)


def _begun(document: doc.Document) -> "FPDF":
    from fpdf import FPDF

    class Numbered(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(FACE, "", 8)
            self.set_text_color(*GREY)
            self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")
            self.set_text_color(0)

    pdf = Numbered(format="A4")
    for (family, style), name in FILES.items():
        pdf.add_font(family, style, str(_fonts() / name))
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.set_auto_page_break(True, MARGIN)
    pdf.set_title(doc.visible(document.title))
    pdf.set_lang(document.language)
    pdf.set_creator("Noria")
    pdf.add_page()
    return pdf


def _bold(family: str | None = None) -> Any:
    from fpdf.fonts import FontFace

    return FontFace(family=family, emphasis="BOLD")


def _fonts() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def _characters() -> dict[str, frozenset[int]]:
    """Give the characters that a font has in every style."""
    from matplotlib.font_manager import get_font

    known: dict[str, frozenset[int]] = {}
    for (family, _), name in FILES.items():
        has = frozenset(get_font(str(_fonts() / name)).get_charmap())
        known[family] = known.get(family, has) & has
    return known
