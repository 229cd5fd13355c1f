"""A report as Markdown; its figures are files beside it."""

import re

from noria.reports import document as doc

FIGURES = "figures"
"""The folder of the figures, beside the report."""

_MEANS_SOMETHING = re.compile(r"([\\`*<])")


def as_markdown(document: doc.Document) -> str:
    """Write a document as Markdown."""
    parts = [f"# {_text(document.title)}", *map(_block, document.opening)]
    for section in document.shown_sections():
        parts += [f"## {_text(section.title)}", *map(_block, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _block(block: doc.Block) -> str:
    match block:
        case doc.Paragraph(text, lead):
            return f"**{_text(text)}**" if lead else _text(text)
        case doc.Items(lines):
            return "\n".join(f"- {_text(line)}" for line in lines)
        case doc.Facts(rows):
            return "\n".join(f"- **{_text(asked)}**: {_text(answer)}" for asked, answer in rows)
        case doc.Table():
            return _table(block)
        case doc.Figure(name, caption, alternative):
            shown = re.sub(r"([\[\]])", r"\\\1", _text(alternative))
            return f"![{shown}]({FIGURES}/{name}.png)\n\n*{_text(caption)}*"
        case doc.Passages(rows):
            return "\n\n".join(f"**{_text(title)}**\n\n{_fenced(passage)}" for title, passage in rows)
        case doc.Command(text):
            return _fenced(text)
        case doc.References(rows):
            return "\n".join(
                f"{number}. {_text(text)}{f' <{address}>' if address else ''}"
                for number, (text, address) in enumerate(rows, 1)
            )


def _table(table: doc.Table) -> str:
    head, *body = table.rows
    rule = "|" + "|".join([" --- ", *[" ---: "] * (len(head) - 1)]) + "|"
    lines = [_line(head), rule]
    for number, row in enumerate(body):
        lines.append(_line(row, bold=number in table.marked))
    parts = [f"*{_text(table.caption)}*", "\n".join(lines), *([_text(table.note)] if table.note else [])]
    return "\n\n".join(parts)


def _line(cells: tuple[str, ...], *, bold: bool = False) -> str:
    shown = [_text(cell).replace("|", "\\|") for cell in cells]
    return "| " + " | ".join(f"**{cell}**" if bold and cell else cell for cell in shown) + " |"


def _fenced(text: str) -> str:
    """Put a text between fences that are longer than any row of backticks in it."""
    longest = max((len(row) for row in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{doc.visible(text)}\n{fence}"


def _text(text: str) -> str:
    return _MEANS_SOMETHING.sub(r"\\\1", " ".join(doc.visible(text).split("\n")))
