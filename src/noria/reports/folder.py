"""The folder of a report: all of it is made before the first file is written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noria.errors import RunError
from noria.reports.document import Document
from noria.reports.html import as_html
from noria.reports.markdown import FIGURES, as_markdown
from noria.reports.pdf import as_pdf
from noria.reports.pictures import drawn
from noria.training.files import write_atomically
from noria.training.report import plain

HTML, MARKDOWN, PDF, RESULTS = "report.html", "report.md", "report.pdf", "results.json"
PARTS = frozenset({HTML, MARKDOWN, PDF, RESULTS, FIGURES})


def refuse_other(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier report.

    Raises
    ------
    RunError
        If it does, or is no folder.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RunError(f"{folder}: is a file.\n  Choose a folder with --out.")
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in PARTS)
    if others:
        raise RunError(
            f"{folder}: is already there, and holds more than a report ({', '.join(others[:3])}).\n"
            "  Choose another folder with --out."
        )


def write_report_folder(folder: Path, document: Document, results: Mapping[str, Any]) -> list[Path]:
    """Write a report in every form, with its figures and its numbers; give the files.

    Figures of an earlier report that are not in this one are removed.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    document : Document
    results : mapping
        What results.json holds; what is not finite is null.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    pictures = drawn(document.figures())
    numbers = json.dumps(plain(dict(results)), ensure_ascii=False, indent=2) + "\n"
    contents = {
        HTML: as_html(document, pictures).encode(),
        MARKDOWN: as_markdown(document).encode(),
        PDF: as_pdf(document, pictures),
        RESULTS: numbers.encode(),
    }
    for name, picture in pictures.items():
        contents |= {f"{FIGURES}/{name}.svg": picture.svg, f"{FIGURES}/{name}.png": picture.png}
    files = [folder / name for name in contents]
    try:
        (folder / FIGURES).mkdir(parents=True, exist_ok=True)
        for old in (folder / FIGURES).iterdir():
            if old.suffix in (".svg", ".png") and old not in files:
                old.unlink()
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    for file, content in zip(files, contents.values(), strict=True):
        write_atomically(file, content)
    return files
