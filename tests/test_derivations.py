"""docs/derivations: its steps are the program's, its code is right, and its mistakes are wrong.

A page holds what ``noria cell show`` prints, steps under the printed numbers, a forward and a backward in
NumPy whose lines carry these numbers, and mistakes as lines that might stand in the place of one of them.
"""

import re
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from noria.arrays import Array
from noria.cli.app import run
from noria.compiler import textbook_backward
from noria.equations import Cell, cells
from noria.inspection.gradient_check import Problem, compare, complex_gradient
from noria.inspection.own_check import check_own_code

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "derivations"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
DERIVED = {
    "rnn": "rnn",
    "lstm": "lstm",
    "gru": "gru",
    "gru_reset_after": "gru_reset_after",
    "gru_z_writes": "docs/derivations/gru_z_writes.eq",
    "gru_reset_after_z_writes": "docs/derivations/gru_reset_after_z_writes.eq",
}
"""The cell of each page that derives every step."""

STEPS, BATCH, SIZES = {"one step": 1, "five": 5}, 3, {"D": 4, "H": 7}
EXACT, WRONG = 1e-12, 1e-3


class Step(NamedTuple):
    number: int
    equation: str

    @property
    def left(self) -> str:
        return self.equation.split(" = ")[0]


class Mistake(NamedTuple):
    page: str
    number: int
    line: str
    symptom: str


def opened(which: str) -> Cell:
    return cells.get(ROOT / which if which.endswith(".eq") else which)


def printed(cell: Cell) -> list[Step]:
    """Give the steps as ``noria cell show`` prints them, without the paths."""
    found = re.findall(r"^  \((\d+)\) +(.+?)(?:   .*)?$", textbook_backward(cell).text, re.MULTILINE)
    return [Step(int(number), equation) for number, equation in found]


def derived(page: str) -> list[Step]:
    """Give the steps that the headings and tables of a page derive, in the order of their numbers."""
    lines = [line for line in PAGES[page].splitlines() if line.startswith(("#", "|"))]
    found = [step for line in lines for step in re.findall(r"\((\d+)\) `([^`]+)`", line)]
    return sorted(Step(int(number), equation) for number, equation in found)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)


def mistakes(page: str) -> Iterator[Mistake]:
    for quoted in re.findall(r"(?:^> .*\n)+", PAGES[page], re.MULTILINE):
        text = " ".join(line[2:] for line in quoted.splitlines())
        found = re.fullmatch(r"\*\*Mistake at \((\d+)\):\*\* `(.+?)`\. .* (Wrong(?: with|:) .*)", text)
        assert found, f"{page}: this mistake is not written like the others:\n{quoted}"
        yield Mistake(page, int(found[1]), found[2], found[3])


MISTAKES = [mistake for page in DERIVED for mistake in mistakes(page)]


@dataclass(frozen=True, eq=False)
class Trial:
    """Random numbers for a cell, Noria's answers, and those of somebody's code."""

    cell: Cell
    problem: Problem
    outputs: Array
    gradients: Mapping[str, Array]

    @classmethod
    def of(cls, cell: Cell, steps: int) -> "Trial":
        rng = np.random.default_rng(3)
        problem = Problem.random(cell, SIZES, [steps] * BATCH, "float64", rng)
        kernel = problem.kernel("float64", "reference")
        states = {state: problem.inputs[state] for state in cell.states}
        assert all(np.abs(state).min() > 0 for state in states.values())
        one = kernel.start(problem.theta(kernel), states, problem.counts, save=False)
        return cls(cell, problem, one.forward(problem.inputs["x"]), problem.backward(kernel, "float64"))

    def forward(self, code: Mapping[str, Any], inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        x = inputs["x"].reshape(-1, BATCH, SIZES["D"])
        states = tuple(inputs[state] for state in self.cell.states)
        parameters = {parameter.name: inputs[parameter.name] for parameter in self.cell.parameters}
        return code["forward"](x, states if len(states) > 1 else states[0], parameters)

    def backward(self, code: Mapping[str, Any]) -> tuple[Array, dict[str, Array]]:
        outputs, cache = self.forward(code, self.problem.inputs)
        last = tuple(self.problem.final_weights[state] for state in self.cell.states)
        several = len(last) > 1
        weights = self.problem.weights.reshape(outputs.shape)
        d_x, d_first, d = code["backward"](weights, cache, last if several else last[0])
        d_states = dict(zip(self.cell.states, d_first if several else (d_first,), strict=True))
        rows = self.problem.inputs["x"].shape
        return outputs.reshape(self.outputs.shape), {**d, "x": d_x.reshape(rows), **d_states}

    def complex_step(self, code: Mapping[str, Any]) -> dict[str, Array]:
        """Give all gradients of the code's own forward by the complex step."""

        def loss(name: str) -> Callable[[Array], complex]:
            def of(value: Array) -> complex:
                outputs, cache = self.forward(code, {**self.problem.inputs, name: value})
                last = cache[-1] if len(self.cell.states) > 1 else (cache[-1],)
                total = np.sum(self.problem.weights.reshape(outputs.shape) * outputs)
                for state, value_of in zip(self.cell.states, last, strict=True):
                    total += np.sum(self.problem.final_weights[state] * value_of)
                return complex(total)

            return of

        return {name: complex_gradient(loss(name), value) for name, value in self.problem.inputs.items()}

    def wrong(self, code: Mapping[str, Any]) -> tuple[str, bool]:
        """Say which gradients are wrong, none of them by a little, and whether the outputs are."""
        outputs, gradients = self.backward(code)
        rows = {row.name: row for row in compare(gradients, self.gradients, EXACT)}
        assert all(row.ok or row.error > WRONG for row in rows.values())
        names = [*(parameter.name for parameter in self.cell.parameters), "x", *self.cell.states]
        wrong = [f"`{name}`" for name in names if not rows[name].ok]
        right = [f"`{name}`" for name in names if rows[name].ok]
        said = ", ".join(wrong) or "nothing"
        if len(right) < len(wrong):
            said = f"all but {', '.join(right)}" if right else "all"
        return said, not np.allclose(outputs, self.outputs, rtol=EXACT, atol=EXACT)


@cache
def trial_of(page: str, steps: int = 5) -> Trial:
    return Trial.of(opened(DERIVED[page]), steps)


def symptom(page: str, code: Mapping[str, Any]) -> str:
    """Say which gradients are wrong over one step, where nothing has come from a later one, and over five."""
    found = {length: trial_of(page, steps).wrong(code) for length, steps in STEPS.items()}
    said = {length: of for length, (of, _) in found.items()}
    same = len(set(said.values())) == 1
    listed = f": {said['five']}" if same else f" with {'; with '.join(f'{k}: {v}' for k, v in said.items())}"
    return f"Wrong{listed}{'; the outputs too' if found['five'][1] else ''}."


def written(folder: Path, code: str) -> dict[str, Any]:
    path = folder / "mine.py"
    path.write_text(code, encoding="utf-8")
    return runpy.run_path(str(path))


def program(page: str) -> str:
    (code,) = blocks(page, "python")
    return code


def with_line(code: str, number: int, line: str) -> str:
    """Put a line in the place of that of a step."""
    changed, count = re.subn(
        rf"^( +)\S.*  # \({number}\)$", lambda found: found[1] + line, code, flags=re.MULTILINE
    )
    assert count == 1
    return changed


def variable(left: str, cell: Cell) -> str:
    """Give the name that the left side of a step has in the code: ``δh'`` is ``d_h_new``."""
    if not left.startswith("δ"):
        return left.replace("'", "_new")
    name = left[1:]
    if name == "x":
        return "d_x[t]"
    if name in {parameter.name for parameter in cell.parameters}:
        return f'd["{name}"]'
    return "d_" + name.replace("'", "_new")


@pytest.mark.parametrize("page", DERIVED)
def test_the_steps_of_a_page_are_those_of_the_program(page: str) -> None:
    assert derived(page) == printed(opened(DERIVED[page]))


@pytest.mark.parametrize("page", DERIVED)
def test_every_line_of_the_code_has_its_step(page: str) -> None:
    cell = opened(DERIVED[page])
    lines = re.findall(r"^ +(\S+) (\+?=) .*  # \((\d+)\)$", program(page), re.MULTILINE)
    summed = {parameter.name for parameter in cell.parameters}
    expected = [
        (variable(step.left, cell), "+=" if step.left[1:] in summed else "=", str(step.number))
        for step in printed(cell)
    ]
    assert lines == expected


@pytest.mark.parametrize("page", sorted(PAGES))
def test_what_a_page_says_is_printed_is_printed(
    page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for block in blocks(page, "console"):
        command, *parts = block.split("\n...\n")
        assert run(command.removeprefix("$ noria ").split()) == 0
        said = capsys.readouterr().out
        for part in parts:
            assert f"\n{part.rstrip()}\n\n" in said, f"{page}: {command} prints something else now"


@pytest.mark.parametrize("page", DERIVED)
def test_the_code_of_a_page_agrees_with_noria_and_with_the_complex_step(page: str, tmp_path: Path) -> None:
    trial, code = trial_of(page), written(tmp_path, program(page))
    outputs, gradients = trial.backward(code)
    np.testing.assert_allclose(outputs, trial.outputs, rtol=EXACT, atol=EXACT)
    assert gradients.keys() == trial.gradients.keys()
    for expected in (trial.gradients, trial.complex_step(code)):
        for row in compare(gradients, expected, EXACT):
            assert row.ok, row
            assert row.norm > WRONG


@pytest.mark.parametrize("page", DERIVED)
def test_noria_check_reads_the_code_of_a_page_and_agrees(page: str, tmp_path: Path) -> None:
    written(tmp_path, program(page))
    report = check_own_code(tmp_path / "mine.py", rng=np.random.default_rng(0))
    assert report.ok
    assert all(row.given for row in report.rows)


@pytest.mark.parametrize(
    ("page", "other", "words"),
    [
        ("gru", "gru_reset_after", ("n = tanh(W_n @ x + b_n + r * (U_n @ h))", "U_n @ (r * h)")),
        ("gru_reset_after", "gru", ("n = tanh(W_n @ x + U_n @ (r * h) + b_n)", "r * (U_n @ h + b_hn)")),
        ("gru", "gru_z_writes", ("h' = (1 - z) * h + z * n", "h' = (1 - z) * n + z * h")),
        ("gru_z_writes", "gru", ("h' = (1 - z) * n + z * h", "h' = (1 - z) * h + z * n")),
    ],
)
def test_noria_check_knows_the_forward_of_one_page_with_the_backward_of_another(
    page: str, other: str, words: tuple[str, str], tmp_path: Path
) -> None:
    code = program(page)
    for line, number in re.findall(r"^ +(\S.*)  # \((\d+)\)$", program(other), re.MULTILINE):
        if int(number) in (9, 11, 13, 15, 22):  # what conventions differ in, on the way back
            code = with_line(code, int(number), line.replace('p["b_hn"] + ', ""))
    written(tmp_path, code)
    report = check_own_code(tmp_path / "mine.py", rng=np.random.default_rng(0))
    cause = report.causes[0]
    assert (cause.key, cause.certain, cause.words[0]) == ("other_convention", True, words[0])
    assert words[1] in cause.words[1]
    blamed = {row.name for row in report.rows if cause in row.causes}
    assert blamed >= {row.name for row in report.rows} - {"forward", "b_hn"}


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (12, "d_c_new = d_c + d_h_new * o * (1 - np.tanh(c) ** 2)"),
        (13, "d_o = d_h_new * np.tanh(c)"),
    ],
)
def test_noria_check_knows_a_cell_state_read_one_step_off(number: int, line: str, tmp_path: Path) -> None:
    written(tmp_path, with_line(program("lstm"), number, line))
    (cause,) = check_own_code(tmp_path / "mine.py", rng=np.random.default_rng(0)).causes
    assert (cause.key, cause.words, cause.certain) == ("new_state_early", ("c",), True)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.page}-{one.number}-{one.line[:30]}")
def test_a_mistake_spoils_what_the_page_says(mistake: Mistake, tmp_path: Path) -> None:
    code = with_line(program(mistake.page), mistake.number, mistake.line)
    assert symptom(mistake.page, written(tmp_path, code)) == mistake.symptom


def test_z_that_writes_is_z_that_keeps_with_the_sign_of_its_parameters_changed(tmp_path: Path) -> None:
    for keeps, writes in (("gru", "gru_z_writes"), ("gru_reset_after", "gru_reset_after_z_writes")):
        trial = trial_of(keeps)
        turned = {
            name: -value if name.endswith("_z") else value for name, value in trial.problem.inputs.items()
        }
        problem = Problem(**{**vars(trial.problem), "inputs": turned})
        other = Trial(trial.cell, problem, trial.outputs, trial.gradients)
        outputs, gradients = other.backward(written(tmp_path, program(writes)))
        np.testing.assert_allclose(outputs, trial.outputs, rtol=EXACT, atol=EXACT)
        back = {name: -value if name.endswith("_z") else value for name, value in gradients.items()}
        assert all(row.ok for row in compare(back, trial.gradients, EXACT))


def test_every_cell_of_the_three_families_has_its_page() -> None:
    shown = {
        name
        for page in PAGES
        for block in blocks(page, "console")
        for name in re.findall(r"^\$ noria cell show (\w+)$", block, re.MULTILINE)
    }
    same = {"irnn": "rnn_relu"}  # one equation, two initialisations
    for one, other in same.items():
        assert printed(cells[one]) == printed(cells[other])
        assert other in shown
    shown |= same.keys()
    assert {name for name in cells.names() if name.split("_")[0] in ("rnn", "lstm", "gru")} <= shown
    index = PAGES["README"]
    without = re.search(r"^Not derived by hand here: (.*?)\.", index, re.MULTILINE | re.DOTALL)
    assert without is not None
    left_out = set(re.findall(r"`(\w+)`", without[1]))
    assert not left_out & shown
    assert shown | left_out == set(cells.names())
    assert all(f"`{name}`" in index or f"cell show {name}`" in index for name in cells.names())


def test_the_pages_point_at_what_exists() -> None:
    assert set(PAGES) == {*DERIVED, "variants", "README"}
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (FOLDER / target).exists(), f"{page}: {target}"
        if page in DERIVED:
            last = len(printed(opened(DERIVED[page])))
            assert all(1 <= int(number) <= last for number in re.findall(r"\((\d+)\)", text)), page
    assert all(f"({page}.md)" in PAGES["README"] for page in {*DERIVED, "variants"})
