"""The report of a study: results.json, report.md, and report.html, a single file that needs no network."""

import html
import math
import platform
from collections.abc import Sequence
from typing import Any

import noria
from noria.studies.conclusions import LANGUAGES, conclusions
from noria.studies.figures import curves_picture, figures_picture
from noria.studies.folder import StudyFolder
from noria.studies.results import Line, Results, results_of
from noria.training.files import write_atomically

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Comparison", "Comparación"),
    "what": ("What was compared", "Qué se comparó"),
    "task": ("task", "tarea"),
    "data": ("data", "datos"),
    "budget": ("budget of each run", "presupuesto de cada ejecución"),
    "seeds": ("seeds", "semillas"),
    "metric": ("figure", "cifra"),
    "higher": ("higher is better", "más alto es mejor"),
    "lower": ("lower is better", "más bajo es mejor"),
    "on_test": (
        "on the test part, which nothing was chosen on",
        "en la parte de prueba, con la que no se eligió",
    ),
    "reason": ("why", "por qué"),
    "conclusions": ("Conclusions", "Conclusiones"),
    "variants": ("Variants", "Variantes"),
    "variant": ("variant", "variante"),
    "mean": ("mean", "media"),
    "spread": ("spread", "dispersión"),
    "interval": ("95 % interval", "intervalo del 95 %"),
    "train": ("train loss", "pérdida entren."),
    "validation": ("valid. loss", "pérdida valid."),
    "parameters": ("parameters", "parámetros"),
    "steps": ("steps", "pasos"),
    "seconds": ("seconds", "segundos"),
    "speed": ("tokens/s", "símbolos/s"),
    "memory": ("peak MB", "MB máx."),
    "runs": ("runs", "ejecuciones"),
    "pairs": ("Differences, paired by seed", "Diferencias, por pares de semillas"),
    "pairs_note": (
        "The intervals hold together with 95 % (Bonferroni over the pairs). A difference is claimed only "
        "where its interval leaves zero out.",
        "Los intervalos valen en conjunto con un 95 % (Bonferroni sobre los pares). Solo se afirma una "
        "diferencia si su intervalo deja fuera el cero.",
    ),
    "pair": ("pair", "par"),
    "difference": ("difference", "diferencia"),
    "verdict": ("verdict", "veredicto"),
    "better": ("the first is better", "la primera es mejor"),
    "worse": ("the second is better", "la segunda es mejor"),
    "no difference": ("no difference seen", "no se vio diferencia"),
    "pictures": ("Figures", "Figuras"),
    "curves": (
        "Loss on the validation part over the steps: mean of the seeds, shaded between the lowest and the "
        "highest.",
        "Pérdida en la parte de validación a lo largo de los pasos: media de las semillas, sombreada entre "
        "la más baja y la más alta.",
    ),
    "points": (
        "The figure of every seed, with the mean and its 95 % interval; dotted: the figure to beat.",
        "La cifra de cada semilla, con la media y su intervalo del 95 %; punteada: la que hay que superar.",
    ),
    "trouble": ("What did not end well", "Lo que no terminó bien"),
    "again": ("Again", "Otra vez"),
    "made": (
        "Noria {0}, Python {1}, {2}; runs side by side, one thread each.",
        "Noria {0}, Python {1}, {2}; ejecuciones en paralelo, un hilo cada una.",
    ),
}

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#111;
background:#fff}
table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ccc;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
div.wide{overflow-x:auto}
figure{margin:1rem 0}
figure svg{max-width:100%;height:auto}
figcaption{font-size:.85rem;color:#333}
pre{background:#f3f3f3;padding:.6rem;overflow-x:auto}
"""


def write_report(folder: StudyFolder, command: str, *, language: str = "en", reason: str = "") -> Results:
    """Write the report of a study, as far as it has come, and give its results.

    Parameters
    ----------
    folder : StudyFolder
    command : str
        What makes the study again.
    language : {"en", "es"}
    reason : str
        Why one would compare this.
    """
    results = results_of(folder)
    said = {one: conclusions(results, one) for one in LANGUAGES}
    folder.write_json(
        "results.json",
        {**results.to_dict(), "conclusions": said, "command": command, "noria": noria.__version__},
    )
    page = _Page(folder, results, said[language], command, language, reason)
    write_atomically(folder.path / "report.md", page.markdown().encode())
    write_atomically(folder.path / "report.html", page.html().encode())
    return results


class _Page:
    """The parts of the report, written in either form."""

    def __init__(
        self,
        folder: StudyFolder,
        results: Results,
        said: Sequence[str],
        command: str,
        language: str,
        reason: str,
    ) -> None:
        self._study, self._results, self._said = folder.study, results, said
        self._command, self._language, self._reason = command, language, reason

    def _word(self, key: str, *words: object) -> str:
        return WORDS[key][LANGUAGES.index(self._language)].format(*words)

    def _about(self) -> list[tuple[str, str]]:
        study, results = self._study, self._results
        direction = self._word("higher" if results.higher_is_better else "lower")
        metric = f"{results.metric}, {direction}, {self._word('on_test')}"
        budget = ", ".join(f"{value:g} {name}" for name, value in study.budget.items())
        about = [
            (self._word("task"), study.task),
            (self._word("data"), results.source or ", ".join(study.files) or study.data or ""),
            (self._word("budget"), budget),
            (self._word("seeds"), ", ".join(map(str, study.seeds))),
            (self._word("metric"), metric),
        ]
        return [*about, (self._word("reason"), self._reason)] if self._reason else about

    def _variants(self) -> list[list[str]]:
        titles = ["variant", "mean", "spread", "interval", "train", "validation", "parameters", "steps"]
        titles += ["seconds", "speed", "memory", "runs"]
        return [[self._word(title) for title in titles], *(self._row(line) for line in self._results.lines)]

    def _row(self, line: Line) -> list[str]:
        said, count = self._results.said, len(line.done) + len(line.diverged) + len(line.failed)
        ends = (line.figure - line.half_width, line.figure + line.half_width)
        return [
            line.name,
            said(line.figure),
            said(line.deviation),
            f"{said(ends[0])} … {said(ends[1])}" if math.isfinite(line.half_width) else "-",
            _number(line.train, ".3f"),
            _number(line.validation, ".3f"),
            _number(line.parameters, ",.0f"),
            _number(line.steps, ",.0f"),
            _number(line.seconds, ",.1f"),
            _number(line.tokens_per_second, ",.0f"),
            _number(line.peak_bytes / 1e6, ",.0f"),
            f"{len(line.done)}/{count}",
        ]

    def _pairs(self) -> list[list[str]]:
        titles = ("pair", "difference", "interval", "seeds", "verdict")
        rows = [[self._word(title) for title in titles]]
        rows[0][2] = rows[0][2].replace("95 % ", "").replace(" del 95 %", "")
        said = self._results.said
        for one in self._results.differences:
            verdict = one.verdict(higher_is_better=self._results.higher_is_better)
            interval = f"{said(one.low)} … {said(one.high)}" if one.seeds > 1 else "-"
            rows.append(
                [f"{one.one} - {one.other}", said(one.mean), interval, str(one.seeds), self._word(verdict)]
            )
        return rows

    def _made(self) -> str:
        return self._word("made", noria.__version__, platform.python_version(), platform.machine())

    def markdown(self) -> str:
        """Write it as Markdown."""
        parts = [f"# {self._word('title')}: {', '.join(line.name for line in self._results.lines)}"]
        parts += [f"## {self._word('conclusions')}", "\n".join(f"- {line}" for line in self._said)]
        parts += [
            f"## {self._word('what')}",
            "\n".join(f"- {name}: {value}" for name, value in self._about()),
        ]
        parts += [f"## {self._word('variants')}", _markdown(self._variants())]
        if self._results.differences:
            parts += [f"## {self._word('pairs')}", _markdown(self._pairs()), self._word("pairs_note")]
        if self._results.messages:
            lines = "\n".join(f"- {message.splitlines()[0]}" for message in self._results.messages)
            parts += [f"## {self._word('trouble')}", lines]
        parts += [f"## {self._word('again')}", f"```\n{self._command}\n```", self._made()]
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        """Write it as one page, figures inside."""
        title = f"{self._word('title')}: {', '.join(line.name for line in self._results.lines)}"
        said = "".join(f"<li>{html.escape(line)}</li>" for line in self._said)
        about = "".join(
            f"<li>{html.escape(name)}: {html.escape(value)}</li>" for name, value in self._about()
        )
        parts = [
            f"<h1>{html.escape(title)}</h1>",
            f"<h2>{self._word('conclusions')}</h2><ul>{said}</ul>",
            f"<pre>{html.escape(self._command)}</pre>",
            f"<h2>{self._word('variants')}</h2>{_html(self._variants())}",
            f"<h2>{self._word('pictures')}</h2>",
            _picture(figures_picture(self._results), self._word("points")),
            _picture(curves_picture(self._results), self._word("curves")),
        ]
        if self._results.differences:
            note = f"<p>{self._word('pairs_note')}</p>"
            parts.append(f"<h2>{self._word('pairs')}</h2>{_html(self._pairs())}{note}")
        if self._results.messages:
            lines = "".join(f"<li>{html.escape(message)}</li>" for message in self._results.messages)
            parts.append(f"<h2>{self._word('trouble')}</h2><ul>{lines}</ul>")
        parts.append(f"<h2>{self._word('what')}</h2><ul>{about}</ul><p>{html.escape(self._made())}</p>")
        body = "\n".join(parts)
        return (
            f'<!DOCTYPE html>\n<html lang="{self._language}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n"
            "</html>\n"
        )


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "|".join([" --- ", *([" ---: "] * (len(rows[0]) - 1))]) + "|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def _html(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:]
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _picture(svg: str, caption: str) -> str:
    label = html.escape(caption, quote=True)
    described = svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
    return f"<figure>{described}<figcaption>{html.escape(caption)}</figcaption></figure>"


def table_of(results: Results) -> list[dict[str, Any]]:
    """Give what a repeated study has to give again: the figures of each variant, without what time took."""
    return [
        {"name": line.name, "by_seed": dict(line.by_seed), "parameters": line.parameters, "loss": line.loss}
        for line in results.lines
    ]
