"""Somebody's own forward and backward: every wrong one is caught, with its cause; no right one is blamed."""

import numpy as np
import pytest
from own_code_battery import BATTERY, FOLDER, RIGHT

from noria.equations import cells
from noria.errors import DataError, UnknownNameError
from noria.inspection import check_own_code
from noria.inspection.own_code import OwnCode
from noria.inspection.sentences import LANGUAGES, SENTENCES, sentence


@pytest.mark.parametrize("name", RIGHT)
def test_no_right_implementation_is_blamed(name):
    report = check_own_code(FOLDER / name)
    assert report.ok
    assert not report.causes
    assert all(row.error < 1e-8 for row in report.rows)
    assert report.cell in ("rnn", "lstm", "gru")
    assert report.rows[0].name == "forward"


def test_there_are_enough_of_both():
    assert len(RIGHT) >= 8
    assert len(BATTERY) >= 25
    assert {one.file for one in BATTERY} == set(RIGHT)


@pytest.mark.parametrize("one", BATTERY, ids=lambda one: one.id)
def test_a_wrong_implementation_is_caught_with_its_cause(one, tmp_path):
    path = tmp_path / one.file
    path.write_text(one.source)
    report = check_own_code(path)
    wrong = {row.name: row for row in report.rows if not row.ok}
    assert not report.ok
    assert report.causes[0].key == one.cause
    assert report.causes[0].certain
    assert set(one.names) <= set(wrong)
    assert {wrong[name].from_step for name in one.names if name != "forward"} <= {one.step}
    for language in LANGUAGES:
        assert all(cause.said(language) for cause in report.causes)


@pytest.mark.parametrize(
    ("file", "old", "new", "only"),
    [
        ("rnn.py", '["Wxh"] += d_a', '["Wxh"] = d_a', {"Wxh"}),
        ("rnn.py", "d_a.sum(axis=0)", "d_a.mean(axis=0)", {"bh"}),
        ("gru.py", '("n", a_n, r * h)', '("n", a_n, h)', {"U_n"}),
    ],
)
def test_what_is_right_beside_a_mistake_is_not_blamed(file, old, new, only, tmp_path):
    path = tmp_path / file
    path.write_text((FOLDER / file).read_text().replace(old, new))
    assert {row.name for row in check_own_code(path).rows if not row.ok} == only


def test_two_mistakes_at_once_are_both_named(tmp_path):
    text = (FOLDER / "gru.py").read_text()
    text = text.replace("d_before = d * z", "d_before = 0 * d").replace("d_n = d * (1 - z)", "d_n = d * z")
    path = tmp_path / "both.py"
    path.write_text(text)
    assert {cause.key for cause in check_own_code(path).causes} == {"carry_missing", "complement"}


def test_a_mistake_and_a_wrong_size_are_both_named(tmp_path):
    text = (FOLDER / "rnn.py").read_text().replace("(1 - hs[t] ** 2)", "(1 - np.tanh(hs[t]) ** 2)")
    text = text.replace('["bh"] += d_a.sum(axis=0)', '["bh"] += d_a.sum(axis=0) / T')
    path = tmp_path / "both.py"
    path.write_text(text)
    assert [(cause.key, cause.words) for cause in check_own_code(path).causes] == [
        ("squashed", ("tanh", "h'")),
        ("divided", ("T",)),
    ]


def test_the_error_is_relative_to_the_norm(tmp_path):
    path = tmp_path / "scaled.py"
    text = (FOLDER / "rnn.py").read_text()
    path.write_text(text.replace("return d_x, d_next, d_params", "return 1.25 * d_x, d_next, d_params"))
    report = check_own_code(path)
    row = next(row for row in report.rows if row.name == "x")
    assert row.error == pytest.approx(0.25, rel=1e-6)
    assert row.causes[0].key == "scaled"
    assert row.causes[0].words == ("1.25",)


def test_a_cell_of_ones_own_is_checked_too(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "import numpy as np\n"
        "SHAPES = {'A': 'H D', 'k': 'H'}\n"
        "def forward(x, h0, params):\n"
        "    h, hs = h0, []\n"
        "    for row in x:\n"
        "        h = np.sin(row @ params['A'].T + params['k'] * h)\n"
        "        hs.append(h)\n"
        "    return np.array(hs), (x, h0, np.array(hs), params)\n"
        "def backward(d_h, cache):\n"
        "    x, h0, hs, p = cache\n"
        "    d_A, d_k, d = np.zeros_like(p['A']), np.zeros_like(p['k']), 0 * h0\n"
        "    for t in reversed(range(len(x))):\n"
        "        before = hs[t - 1] if t else h0\n"
        "        a = (d_h[t] + d) * np.cos(x[t] @ p['A'].T + p['k'] * before)\n"
        "        d_A += a.T @ x[t]\n"
        "        d_k += (a * before).sum(0)\n"
        "        d = a * p['k']\n"
        "    return None, d, {'A': d_A, 'k': d_k}\n"
    )
    report = check_own_code(path)
    assert report.ok
    assert report.notes[0].key == "own_cell"
    assert [row.name for row in report.rows if not row.given] == ["x"]
    path.write_text(path.read_text().replace("d_k += (a", "d_k -= (a"))
    report = check_own_code(path)
    assert [(cause.key, cause.certain) for cause in report.causes] == [("sign", True)]


def test_a_forward_that_is_not_what_it_says(tmp_path):
    path = tmp_path / "late.py"
    text = (FOLDER / "rnn.py").read_text()
    path.write_text(text.replace("        hs[t] = h\n", "        hs[t] = h if t < 2 else 2 * h\n"))
    row = check_own_code(path).rows[0]
    assert (row.name, row.ok, row.from_step) == ("forward", False, 3)
    assert row.causes[0].key == "forward_differs"


def test_an_initial_state_that_is_not_read(tmp_path):
    path = tmp_path / "start.py"
    path.write_text((FOLDER / "rnn.py").read_text().replace("    h = h0\n", "    h = 0 * h0\n"))
    report = check_own_code(path)
    assert report.causes[0].key == "start_ignored"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (", "line 1"),
        ("1 / 0\n", "line 1: ZeroDivisionError"),
        ("import numpy\n", "expected functions forward"),
        ("def forward(x, h0, params):\n    return 1 / 0\ndef backward(d_h, cache): ...\n", "SHAPES"),
        (
            "CELL = 'rnn'\ndef forward(x, h0, params):\n    return params['no']\ndef backward(d, c): ...\n",
            "line 3, forward: KeyError: 'no'",
        ),
        ("CELL = 'rnn'\ndef forward(x, h0, params):\n    return x\ndef backward(d, c): ...\n", "(h, cache)"),
        (
            "CELL = 'rnn'\ndef forward(x, h0, params):\n    return x[0], None\ndef backward(d, c): ...\n",
            "expected h of shape (6, 3, 5)",
        ),
        (
            "CELL = 'rnn'\nSHAPES = {'W': 'H Q'}\ndef forward(x, h0, p): ...\ndef backward(d, c): ...\n",
            "'H Q' for 'W'",
        ),
        ("LAYOUT = 'XY'\ndef forward(x, h0, p): ...\ndef backward(d, c): ...\n", "LAYOUT must be one of"),
    ],
)
def test_what_cannot_be_checked_is_said(text, said, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(DataError) as raised:
        check_own_code(path)
    assert said in str(raised.value)
    assert "bad.py" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("d_a.sum(axis=0)", "d_a", "ValueError"),
        ("return d_x, d_next, d_params", "return d_x, d_params", "got 2 values"),
        (
            "return d_x, d_next, d_params",
            "return d_x[0], d_next, d_params",
            "expected d_x of shape (6, 3, 4)",
        ),
        ("return d_x, d_next, d_params", "return d_x, d_next.T, d_params", "expected d_h0 of shape (3, 5)"),
        ("return d_x, d_next, d_params", "d_params['Wxh'] = d_x\n    return d_x, d_next, d_params", "(5, 4)"),
        ("return d_x, d_next, d_params", "d_params['Q'] = d_x\n    return d_x, d_next, d_params", "'Q'"),
        ("return hs, (x,", "return hs + np.random.rand(), (x,", "gives other values"),
    ],
)
def test_a_backward_of_the_wrong_kind(old, new, said, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text((FOLDER / "rnn.py").read_text().replace(old, new))
    with pytest.raises(DataError) as raised:
        check_own_code(path)
    assert said in str(raised.value)


def test_a_parameter_without_gradient(tmp_path):
    path = tmp_path / "short.py"
    text = (FOLDER / "rnn.py").read_text()
    path.write_text(
        text.replace("return d_x, d_next, d_params", "del d_params['bh']\n    return None, None, d_params")
    )
    report = check_own_code(path)
    assert [(row.name, row.causes[0].key) for row in report.rows if not row.ok] == [("bh", "not_given")]
    assert report.to_score()["of"] == 4  # forward, and three parameters


def test_what_hangs_is_ended(tmp_path):
    path = tmp_path / "slow.py"
    path.write_text((FOLDER / "rnn.py").read_text().replace("h = h0\n", "h = h0\n    while True: pass\n"))
    code = OwnCode(path)
    code.seconds = 0.2
    with pytest.raises(DataError, match=r"had not ended after 0\.2 seconds"):
        code.forward(np.zeros((6, 3, 4)), [np.zeros((3, 5))], {})


def test_an_unknown_cell_is_said(tmp_path):
    path = tmp_path / "odd.py"
    path.write_text((FOLDER / "rnn.py").read_text().replace('CELL = "rnn"', 'CELL = "gruu"'))
    with pytest.raises(UnknownNameError, match="gru"):
        check_own_code(path)


@pytest.mark.parametrize(
    "lines",
    [("r  =", "\nr  ="), ("U_n @ (r * h)", "U_n @ m"), ("n  =", "# the candidate, b = 1\nn  =")],
)
def test_a_cell_written_in_other_lines_is_compared_all_the_same(tmp_path, lines):
    text = cells.get("gru").text.replace(*lines)
    (tmp_path / "gru.eq").write_text(text.replace("n  =", "m  = r * h\nn  =") if "@ m" in text else text)
    path = tmp_path / "mine.py"
    code = (FOLDER / "gru.py").read_text().replace('CELL = "gru"', 'CELL = "gru.eq"')
    path.write_text(code.replace("d_n = d * (1 - z)", "d_n = d * z"))
    report = check_own_code(path)
    assert not report.ok
    assert {row.name for row in report.rows if not row.ok} >= {"W_n", "U_n", "b_n"}


def test_the_score_sheet(tmp_path):
    path = tmp_path / "gru.py"
    path.write_text((FOLDER / "gru.py").read_text().replace('("n", a_n, r * h)', '("n", a_n, h)'))
    sheet = check_own_code(path).to_score("es")
    assert (sheet["points"], sheet["of"], sheet["ok"]) == (11, 12, False)
    entry = next(entry for entry in sheet["gradients"] if entry["name"] == "U_n")
    assert entry["points"] == 0
    assert entry["cause"] == "operand"
    assert entry["from_step"] == 1
    assert "el gradiente de U_n" in entry["said"][0]
    assert sum(entry["points"] for entry in sheet["gradients"]) == sheet["points"]


def test_every_sentence_stands_in_both_languages():
    for key, (english, spanish) in SENTENCES.items():
        words = [f"w{place}" for place in range(4)]
        said = [sentence(key, words, language) for language in LANGUAGES]
        assert "{" not in "".join(said), key
        assert [place for place in range(4) if f"{{{place}}}" in english] == [
            place for place in range(4) if f"{{{place}}}" in spanish
        ], key


def test_every_key_of_a_mistake_has_a_sentence():
    from noria.inspection.mistakes import mistakes
    from noria.inspection.tape import Tape

    for name in ("rnn", "lstm", "gru", "gru_reset_after", "lstm_peephole"):
        tape = Tape(cells.get(name), ("W_y", "b_y"), softmaxed=True)
        for mistake in mistakes(tape):
            assert sentence(mistake.key, mistake.words)


def test_a_state_that_is_multiplied_before_a_matrix_belongs_to_the_matrix():
    from noria.inspection.tape import Tape
    from noria.inspection.tape_edges import products_of_states, uses_of_states, written

    tape = Tape(cells.get("gru"))
    assert [written(tape, place) for place, _ in uses_of_states(tape)] == ["(z * h)"]
    products = [written(tape, place) for place, _ in products_of_states(tape)]
    assert products == ["U_r @ h", "U_z @ h", "U_n @ (r * h)"]


def test_the_tape_is_right_where_nothing_is_changed():
    from noria.equations import cells
    from noria.inspection.gradient_check import Problem
    from noria.inspection.tape import Tape

    rng = np.random.default_rng(1)
    for cell in (cells.get(name) for name in cells):
        if not Tape.can_follow(cell) or "D" not in cell.sizes:
            continue
        sizes = {symbol: 4 + place for place, symbol in enumerate(cell.sizes)}
        problem = Problem.random(cell, sizes, (5, 5, 5), "float64", rng)
        right = problem.backward(problem.kernel("float64", "reference"), "float64")
        tape = Tape(cell)
        params = {one.name: problem.inputs[one.name] for one in cell.parameters}
        states = {state: problem.inputs[state] for state in cell.states}
        trace = tape.forward(problem.inputs["x"].reshape(5, 3, -1), states, params)
        d_outputs = {"y": problem.weights.reshape(5, 3, -1).copy()}
        for state, weight in problem.final_weights.items():
            d_outputs[state] = np.zeros((5, *weight.shape))
            d_outputs[state][-1] = weight
        found = tape.backward(trace, d_outputs)
        for name, value in right.items():
            np.testing.assert_allclose(
                found[name].ravel(), value.ravel(), rtol=1e-9, atol=1e-11, err_msg=name
            )
