"""A report as one page that needs nothing from anywhere: figures are inside it."""

import base64
from collections.abc import Callable, Mapping
from html import escape

from noria.reports import document as doc
from noria.reports.pictures import Picture

STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 1.5rem auto; padding: 0 1rem;
  color: #111; background: #fff }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #111; padding-bottom: .15rem }
p.lead { font-size: 1.15rem; font-weight: 600; margin: .5rem 0 }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .2rem 1.2rem; margin: .8rem 0 }
dt { font-weight: 600 }
dd { margin: 0 }
div.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .92rem; margin: .5rem 0 }
caption { text-align: left; font-style: italic; padding: .2rem 0 }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #bbb; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
thead th { border-bottom: 2px solid #111 }
tr.marked td { font-weight: 700 }
figure { margin: 1.2rem 0 }
figure img { max-width: 100%; height: auto }
figcaption, p.note { font-size: .92rem; color: #333; max-width: 48rem }
div.passages { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .8rem }
div.passages h3 { font-size: 1rem; margin: .2rem 0 }
pre { font: .88rem/1.4 ui-monospace, monospace; background: #f2f2f2; padding: .6rem; margin: .3rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere }
a { color: #004a80; overflow-wrap: anywhere }
@media print { body { max-width: none } h2, figure, tr { break-inside: avoid } }
"""


def as_html(document: doc.Document, pictures: Mapping[str, Picture]) -> str:
    """Write a document as a page; it is well-formed as XML too.

    Parameters
    ----------
    document : Document
    pictures : mapping of Picture
        By the names of the figures.
    """

    def written(block: doc.Block) -> str:
        return _figure(block, pictures[block.name]) if isinstance(block, doc.Figure) else _block(block)

    parts = [f"<h1>{_text(document.title)}</h1>", *map(written, document.opening)]
    for section in document.shown_sections():
        inside = "\n".join(map(written, section.blocks))
        parts.append(f"<section>\n<h2>{_text(section.title)}</h2>\n{inside}\n</section>")
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{document.language}">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{_text(document.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def _block(block: doc.Block) -> str:
    match block:
        case doc.Paragraph(text, lead):
            return f'<p class="lead">{_text(text)}</p>' if lead else f"<p>{_text(text)}</p>"
        case doc.Items(lines):
            return f"<ul>\n{_each(lines, lambda line: f'<li>{_text(line)}</li>')}\n</ul>"
        case doc.Facts(rows):
            pairs = (f"<dt>{_text(asked)}</dt><dd>{_text(answer)}</dd>" for asked, answer in rows)
            return "<dl>\n" + "\n".join(pairs) + "\n</dl>"
        case doc.Table():
            return _table(block)
        case doc.Passages(rows):
            shown = (
                f"<div><h3>{_text(title)}</h3><pre>{_text(passage)}</pre></div>" for title, passage in rows
            )
            return '<div class="passages">\n' + "\n".join(shown) + "\n</div>"
        case doc.Command(text):
            return f"<pre><code>{_text(text)}</code></pre>"
        case doc.References(rows):
            entries = (f"<li>{_text(text)}{_link(address)}</li>" for text, address in rows)
            return "<ol>\n" + "\n".join(entries) + "\n</ol>"
        case _:
            raise TypeError(f"no way to write {type(block).__name__}")


def _table(table: doc.Table) -> str:
    head, *body = table.rows
    cells = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in head)
    lines = []
    for number, row in enumerate(body):
        mark = ' class="marked"' if number in table.marked else ""
        lines.append(f"<tr{mark}>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>")
    note = f'\n<p class="note">{_text(table.note)}</p>' if table.note else ""
    inside, caption = "\n".join(lines), _text(table.caption)
    return (
        f'<div class="wide"><table>\n<caption>{caption}</caption>\n<thead><tr>{cells}</tr></thead>\n'
        f"<tbody>\n{inside}\n</tbody>\n</table></div>{note}"
    )


def _figure(figure: doc.Figure, picture: Picture) -> str:
    data = base64.b64encode(picture.svg).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{_text(figure.alternative)}"/>'
    return f"<figure>{image}\n<figcaption>{_text(figure.caption)}</figcaption></figure>"


def _link(address: str) -> str:
    return f' <a href="{_text(address)}">{_text(address)}</a>' if address else ""


def _each(lines: tuple[str, ...], write: Callable[[str], str]) -> str:
    return "\n".join(map(write, lines))


def _text(text: str) -> str:
    return escape(doc.visible(text))
