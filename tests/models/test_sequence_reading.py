"""Every kind of file reaches the model, and what does not fit is named before anything is trained."""

import io
import json
import re

import numpy as np
import pytest

from noria.errors import DataError
from noria.models.classify.classifier import SequenceClassifier
from noria.models.classify.regressor import SequenceRegressor

SMALL = {"hidden_size": 4, "embedding_size": 3, "batch_size": 8, "engine": "reference", "dropout": 0.0}
LONG = "id,time,x,y,label\n" + "".join(
    f"s{number},{step},{number % 2 + step / 10},{step},{'ab'[number % 2]}\n"
    for number in range(20)
    for step in range(number % 4 + 1)
)
TS = "@problemName P\n@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n" + "".join(
    f"{number % 2},1.5:{number},2:{'ab'[number % 2]}\n" for number in range(20)
)
TABLE = "text,label\n" + "".join(f"{'so good' if n % 2 else 'so bad'},{'ab'[n % 2]}\n" for n in range(20))


def prepared(tmp_path, name, text, **options):
    path = tmp_path / name
    path.write_text(text)
    return SequenceClassifier(**SMALL, **options).prepare(path)


@pytest.mark.parametrize(
    ("name", "text", "kind", "size"),
    [
        ("long.csv", LONG, "series", 2),
        ("long.tsv", LONG.replace(",", "\t"), "series", 2),
        ("t.ts", TS, "series", 2),
        ("t.csv", TABLE, "texts", 4),
        (
            "t.jsonl",
            "".join(json.dumps({"text": f"so {n}", "label": n % 2}) + "\n" for n in range(20)),
            "texts",
            2,
        ),
    ],
)
def test_files_are_what_they_look_like(tmp_path, name, text, kind, size):
    it = prepared(tmp_path, name, text, min_count=2)
    assert it.description.data.kind == kind
    assert it.schema.inputs.size == size
    assert [len(part.records) for part in (it.train, it.validation, it.test)] == [16, 2, 2]
    labels = [record.target for part in (it.train, it.validation, it.test) for record in part.records]
    assert sorted(map(str, labels)) in (["a"] * 10 + ["b"] * 10, ["0"] * 10 + ["1"] * 10)
    assert sorted(record.target for record in it.test.records) == sorted(set(labels))


def test_columns_of_long_tables_are_remembered(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(LONG)
    model = SequenceClassifier(**SMALL).fit(path, steps=1)
    assert dict(model.schema_.columns) == {"id": "id", "label": "label", "time": "time"}
    rows = list(model.predict_rows(path))
    assert len(rows) == 20
    assert rows[1]["of"].endswith("long.csv, line 3")
    unlabelled = io.StringIO("y,x,id,time\n1,2,q,0\n2,3,q,1\n5,6,r,0\n")
    answers = [row["probability"] for row in model.predict_rows(unlabelled)]
    expected = model.predict_proba([np.array([[2.0, 1.0], [3.0, 2.0]]), np.array([[6.0, 5.0]])])
    np.testing.assert_allclose(answers, expected.max(axis=1), rtol=1e-6)
    archive = io.StringIO("@univariate false\n@dimensions 2\n@classLabel false\n@data\n2,3:1,2\n6:5\n")
    assert [row["probability"] for row in model.predict_rows(archive)] == pytest.approx(answers)


def test_texts_come_from_lines_tables_and_objects_alike(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    model = SequenceClassifier(**SMALL).fit(path, steps=1)
    (tmp_path / "t.txt").write_text("so good\nso, bad\n")
    sources = [
        tmp_path / "t.txt",
        io.StringIO("so good\nso, bad\n"),
        io.StringIO('text\nso good\n"so, bad"\n'),
        io.StringIO('{"text": "so good"}\n{"text": "so, bad"}\n'),
        io.BytesIO(b"so good\nso, bad\n"),
    ]
    answers = [[row["probability"] for row in model.predict_rows(source)] for source in sources]
    assert all(len(found) == 2 for found in answers)
    assert all(found == answers[0] for found in answers)
    (tmp_path / "t.txt").write_text("so good\n\nso bad\n")
    with pytest.raises(DataError, match="line 2: expected a text, got nothing but white space"):
        model.predict(tmp_path / "t.txt")


EMPTY = {
    "lines": ("t.txt", "so good\n\n \nso bad\n", [1, 2]),
    "one column": ("t.csv", 'text\nso good\n\n""\nso bad\n', [1, 2]),
    "two columns": ("t.csv", "label,text\na,so good\n\nb,\n,so bad\n", [1, 2]),
    "objects": ("t.jsonl", '{"text": "so good"}\n\n{"text": ""}\n{}\n{"text": "so bad"}\n', [1, 2, 3]),
}


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("is_stream", [False, True])
def test_rows_without_a_text_keep_their_place(tmp_path, kind, is_stream):
    name, text, empty = EMPTY[kind]
    (tmp_path / "train.csv").write_text(TABLE)
    model = SequenceClassifier(**SMALL).fit(tmp_path / "train.csv", steps=1)
    (tmp_path / name).write_text(text)
    rows = list(model.predict_rows(io.StringIO(text) if is_stream else tmp_path / name))
    assert [number for number, row in enumerate(rows) if row["prediction"] is None] == empty
    first, *_, last = rows
    assert [first["text"], last["text"]] == ["so good", "so bad"]
    expected = model.predict_proba(["so good", "so bad"]).max(axis=1)
    np.testing.assert_allclose([first["probability"], last["probability"]], expected, rtol=1e-6)
    assert [model.shown(rows[number]) for number in empty] == ["\t\t"] * len(empty)


def test_more_rows_than_are_answered_together_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr("noria.models.classify.answering.CHUNK", 3)
    (tmp_path / "train.csv").write_text(TABLE)
    model = SequenceClassifier(**SMALL).fit(tmp_path / "train.csv", steps=1)
    texts = ["so good", "", "", "", "so bad", "", "so so bad", "good"]
    rows = list(model.predict_rows(io.StringIO("text\n" + "".join(f"{text}\n" for text in texts))))
    assert [row["text"] for row in rows] == texts


def test_an_answer_needs_no_label(tmp_path):
    (tmp_path / "t.csv").write_text("text,stars\n" + "".join(f"so {n},{n}\n" for n in range(12)))
    model = SequenceRegressor(**SMALL, label_column="stars").fit(tmp_path / "t.csv", steps=1)
    rows = list(model.predict_rows(io.StringIO("text,stars\nso 3,many\nso 4,\n,3\n")))
    assert [type(row["prediction"]) for row in rows] == [float, float, type(None)]
    shown = [model.shown(row) for row in rows]
    assert shown[0] == f"{rows[0]['prediction']:.6g}\tso 3"
    assert len(shown[0].split("\t")[0].lstrip("-")) <= 7, "six digits that count, and a point"
    assert shown[2] == "\t"
    assert model.shown({"prediction": 1.0, "text": "[b]"}, colour=True) == "1\t\\[b]"


def test_labels_that_were_not_trained_on_are_counted(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE.replace(",a", ",down").replace(",b", ",up"))
    model = SequenceClassifier(**SMALL).fit(tmp_path / "t.csv", steps=1)
    known = "so good,up\nso bad,down\nso bad,up\n"
    (tmp_path / "other.csv").write_text(f"text,label\n{known}so good,dwn\nso good,x\nso bad,x\n")
    with pytest.raises(DataError) as caught:
        model.evaluate(tmp_path / "other.csv")
    first, counted, advice = str(caught.value).splitlines()
    assert first.endswith(
        "other.csv, line 5, column 2 ('label'): expected one of the labels down, up, got 'dwn', which the "
        "model was not trained on. Did you mean 'down'?"
    )
    assert counted == "  3 of 6 sequences have labels that are unknown: 'x' (2), 'dwn' (1)."
    assert "--leave-out-unknown" in advice
    figures = model.evaluate(tmp_path / "other.csv", leave_out_unknown=True)
    (tmp_path / "known.csv").write_text(f"text,label\n{known}")
    expected = model.evaluate(tmp_path / "known.csv")
    assert {name: figures[name] for name in expected} == expected
    assert figures["sequences"] == 3
    assert (figures["left_out"], figures["unknown_labels"]) == (3, {"x": 2, "dwn": 1})
    assert figures["accuracy_of_all"] == figures["accuracy"] / 2
    assert model.evaluate(tmp_path / "known.csv", leave_out_unknown=True) == expected
    for leave_out in (False, True):
        with pytest.raises(DataError) as caught:
            model.evaluate(["so good", "so bad"], ["z", "z"], leave_out_unknown=leave_out)
        *_, counted, advice = str(caught.value).splitlines()
        assert counted == "  2 of 2 sequences have labels that are unknown: 'z' (2)."
        assert advice == "  No sequence is left without them: is it the right column?"


KINDS = "message;kind\n" + "".join(f"it is number {n};{'xyz'[n % 3]}\n" for n in range(18))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (KINDS, ("message", "kind")),
        (KINDS.replace("message;kind", "clase;mood").replace("it is", "es el"), ("clase", "mood")),
        ("clase,frase\n" + "".join(f"{n % 2},frase {n}\n" for n in range(8)), ("frase", "clase")),
        ("text,kind\n" + "good film,up\nbad film,down\n" * 6, ("text", "kind")),
        ("utterance,kind\n" + "good film,up\nbad film,down\n" * 6, ("utterance", "kind")),
        ("id,len,utterance,kind\n" + "".join(f"{n},{n * 7},a {n} b,{n % 2}\n" for n in range(9)), None),
        ("len,utterance,kind\n" + "".join(f"{n * 7},a {n} b,{n % 2}\n" for n in range(9)), 0),
    ],
)
def test_columns_of_unknown_names_are_guessed_and_said(tmp_path, text, columns):
    (tmp_path / "t.csv").write_text(text)
    model = SequenceClassifier(**SMALL)
    if columns is None:  # a long table, by the name of its first column
        with pytest.raises(DataError, match="expected a number, got 'a 0 b'"):
            model.prepare(tmp_path / "t.csv")
        return
    texts, labels = columns or ("utterance", "kind")
    it = model.prepare(tmp_path / "t.csv")
    assert dict(it.schema.columns) == {"text": texts, "label": labels}
    said = f"column {texts!r} holds the texts, {labels!r} the labels (guessed from the names and contents"
    assert any(note.startswith(said) for note in it.description.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "text,kind,origin\n" + "".join(f"a {n} b,{n % 2},{'pqr'[n % 3]}\n" for n in range(12)),
            r"It may be 'kind' \(2 different values\), 'origin' \(3 different values\). Name it: label_col",
        ),
        ("text,kind\n" + "".join(f"a {n} b,k{n}\n" for n in range(12)), r"\n  Name it"),
        ("text,kind\n" + "".join(f"a {n} b,{n / 8}\n" for n in [1, 1, 3, 3, 5, 5]), r"\n  Name it"),
        ("text,kind\na,x\nb,x\nc,y\nd,\ne,y\n", r"\n  Name it"),
    ],
)
def test_where_several_columns_may_be_meant_they_are_named(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=f"(?s)expected a column of labels, got 'text', .*{message}"):
        SequenceClassifier(**SMALL).prepare(tmp_path / "t.csv")


def test_labels_of_long_tables_are_guessed_and_said(tmp_path):
    (tmp_path / "long.csv").write_text(LONG.replace("label", "mood"))
    it = SequenceClassifier(**SMALL).prepare(tmp_path / "long.csv")
    assert dict(it.schema.columns) == {"id": "id", "label": "mood", "time": "time"}
    assert it.schema.inputs.channels == ("x", "y")
    assert any("labels in 'mood'" in note for note in it.description.notes)
    numbers = LONG.replace("label", "worth").replace(",a\n", ",0.5\n").replace(",b\n", ",1\n")
    (tmp_path / "long.csv").write_text(numbers)
    told = SequenceRegressor(**SMALL).prepare(tmp_path / "long.csv")
    assert told.schema.columns["label"] == "worth", "it does not change within a sequence"


def test_numbers_with_decimal_commas_are_told(tmp_path):
    text = "frase;precio;n\n" + "".join(f"pan {n};{n},5;{n},25\n" for n in range(12))
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=r"numbers to be told, (?s:.*)'precio' \(12 .*'n' \(12"):
        SequenceRegressor(**SMALL).prepare(tmp_path / "t.csv")
    options = {**SMALL, "valid_fraction": 0.0, "test_fraction": 0.0}
    it = SequenceRegressor(**options, extra_columns=["n"]).prepare(tmp_path / "t.csv")
    assert dict(it.schema.columns) == {"text": "frase", "label": "precio"}
    assert sorted(record.target for record in it.train.records) == [n + 0.5 for n in range(12)]
    assert sorted(record.extras for record in it.train.records) == [(n + 0.25,) for n in range(12)]
    assert "numbers with a decimal comma: n, precio" in it.description.notes
    assert "'precio' the numbers to be told" in " ".join(it.description.notes)
    named = {**SMALL, "label_column": "precio"}
    model = SequenceRegressor(**named).fit(tmp_path / "t.csv", steps=1)
    assert model.evaluate(tmp_path / "t.csv")["sequences"] == 12
    (tmp_path / "t.csv").write_text(text.replace("pan 7;7,5", "pan 7;7.5"))
    with pytest.raises(DataError, match=r"t.csv, line 9, column 2 \('precio'\): expected a decimal comma"):
        SequenceRegressor(**named).prepare(tmp_path / "t.csv")


def test_recordings_are_read_in_folders(tmp_path):
    pytest.importorskip("librosa")
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    for number in range(12):
        folder = tmp_path / "words" / ("yes" if number % 2 else "no")
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{number}.wav", rng.normal(size=1600 + 400 * number) / 9, 8000)
    model = SequenceClassifier(**SMALL, sample_rate=8000, mfcc=5, valid_fraction=0.2)
    model.fit(tmp_path / "words", steps=1, out=tmp_path / "run")
    assert model.schema_.recordings
    assert model.schema_.inputs.size == 10
    rows = list(model.predict_rows(tmp_path / "words" / "yes"))
    assert [row["of"].rpartition("/")[2] for row in rows] == [
        "1.wav",
        "11.wav",
        "3.wav",
        "5.wav",
        "7.wav",
        "9.wav",
    ]
    assert model.evaluate(tmp_path / "words")["sequences"] == 12


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("t.csv", "text,label\na,x\nb,\n", {}, r"t.csv, line 3, column 2 \('label'\): expected something"),
        ("t.csv", "text,label\na,x\n,y\n", {}, r"t.csv, line 3, column 1 \('text'\): expected something"),
        ("t.csv", "text,lab\na,x\n", {}, "expected a column of labels, got 'text', 'lab'"),
        ("t.csv", TABLE, {"label_column": "lable"}, "expected a column 'lable' .*Did you mean 'label'"),
        ("t.csv", TABLE, {"text_column": "review"}, "expected a column 'review'"),
        ("t.csv", "a,b,label\n1,2,x\n", {}, "expected a column of texts, or one that says which sequence"),
        ("t.csv", "text,label\na,x\nb,x\nc,x\nd,x\n", {}, "at least two classes to tell apart, got one, 'x'"),
        ("t.csv", "text,label\n", {}, "expected at least one sequence, got none"),
        ("t.csv", TABLE, {"extra_columns": ["stars"]}, "expected a column 'stars'"),
        (
            "t.ts",
            TS.replace("true a b", "false").replace(":a", "").replace(":b", ""),
            {},
            "line 6: expected a label",
        ),
        ("long.csv", LONG, {"feature_columns": ["z"]}, "expected a column 'z'"),
    ],
)
def test_faults_are_placed(tmp_path, name, text, options, message):
    with pytest.raises(DataError, match=message):
        prepared(tmp_path, name, text, **options)


def test_a_folder_without_recordings_and_labels_beside_a_file_are_refused(tmp_path):
    with pytest.raises(DataError, match="expected a folder with a folder of recordings"):
        SequenceClassifier(**SMALL).prepare(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE)
    with pytest.raises(DataError, match="got labels beside them"):
        SequenceClassifier(**SMALL).prepare(tmp_path / "t.csv", ["a"])
    with pytest.raises(DataError, match=r"no such file.*\n.*list of strings"):
        SequenceClassifier(**SMALL).prepare(tmp_path / "t.cvs")


def test_several_files_are_one_set(tmp_path):
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(TABLE)
    it = SequenceClassifier(**SMALL).prepare([tmp_path / "one.csv", tmp_path / "two.csv"])
    assert len(it.train.records) == 32
    (tmp_path / "two.csv").write_text(LONG)
    with pytest.raises(DataError, match=r"two\.csv: expected a column 'text' \(text_column\), got 'id'"):
        SequenceClassifier(**SMALL).prepare([tmp_path / "one.csv", tmp_path / "two.csv"])
    (tmp_path / "one.csv").write_text(LONG.replace(",y,", ",z,"))
    with pytest.raises(DataError, match=r"two\.csv: expected the same columns as .*one\.csv has"):
        SequenceClassifier(**SMALL).prepare([tmp_path / "one.csv", tmp_path / "two.csv"])


def test_the_first_of_several_files_settles_the_columns(tmp_path):
    one = "".join(f"it is {n},{'xy'[n % 2]},{n}\n" for n in range(12))
    two = "".join(f"it is {n},x,{n % 2}\n" for n in range(8))  # alone, 'seen' would be the only one
    for name, rows in (("one.csv", one), ("two.csv", two)):
        (tmp_path / name).write_text(f"text,mood,seen\n{rows}")
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    it = SequenceClassifier(**SMALL).prepare(files)
    assert dict(it.schema.columns) == {"text": "text", "label": "mood"}
    assert it.schema.targets.labels == ("x", "y")
    texts, labels = ["it is 3", "it is 4"] * 9, ["x", "y"] * 9
    of_memory = SequenceClassifier(**SMALL).fit(texts, labels, steps=1)
    assert of_memory.evaluate(files)["sequences"] == 20, "a model that has no columns has them from the first"


def test_a_test_file_is_read_as_the_first_one(tmp_path):
    rows = [f"it is {n},{n + 0.5},{n + 300}\n" for n in range(12)]
    (tmp_path / "train.csv").write_text("text,price,pages\n" + "".join([*rows[:-1], "it is 11,11.5,\n"]))
    (tmp_path / "test.csv").write_text("text,price,pages\n" + "".join(rows))
    model = SequenceRegressor(**SMALL, test_file=str(tmp_path / "test.csv"))
    it = model.prepare(tmp_path / "train.csv")
    assert [record.target for record in it.test.records] == [n + 0.5 for n in range(12)]
    (tmp_path / "test.csv").write_text("text,price,pages\n" + "".join(rows).replace(",7.5,", ",,"))
    with pytest.raises(DataError, match=r"test\.csv, line 9, column 2 \('price'\): expected something"):
        model.prepare(tmp_path / "train.csv")


@pytest.mark.parametrize(
    ("text", "options", "columns"),
    [
        (
            "text,rating,verdict\n" + "".join(f"so {n},{n % 5},{'pq'[n % 2]}\n" for n in range(20)),
            {"extra_columns": ["rating"]},
            {"text": "text", "label": "verdict"},
        ),
        (
            LONG.replace(",x,y,label", ",x,score,mood"),
            {"feature_columns": ["score"]},
            {"id": "id", "time": "time", "label": "mood"},
        ),
        (
            LONG.replace("id,time,", "id,t,"),
            {"feature_columns": ["t", "x"]},
            {"id": "id", "label": "label"},
        ),
        (
            "Name,Remark\n" + "".join(f"{'pq'[n % 2]},so {n}\n" for n in range(20)),
            {"label_column": "Name"},
            {"text": "Remark", "label": "Name"},
        ),
        (
            "case,id,x\n" + "".join(f"{'pq'[n % 2]},{n},{n / 3}\n" for n in range(20)),
            {"label_column": "case"},
            {"id": "id", "label": "case"},
        ),
    ],
)
def test_what_is_told_is_none_of_the_inputs(tmp_path, text, options, columns):
    it = prepared(tmp_path, "t.csv", text, **options)
    assert dict(it.schema.columns) == columns


def test_a_label_that_is_an_input_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"t\.csv: expected labels in a column .* got 'y', which is read as"):
        prepared(tmp_path, "t.csv", LONG, label_column="y", feature_columns=["x", "y"])


@pytest.mark.parametrize("text", [r"a \[/b] c", r"a \[b] c", "[b]a[/b] c", "C:\\", r"\\[i] d\e"])
@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceRegressor])
def test_answers_in_colour_have_the_same_text(kind, text):
    from rich.markup import render

    row = {"prediction": "[b]x\\" if kind is SequenceClassifier else 0.5, "probability": 0.75, "text": text}
    model = kind(**SMALL)
    assert render(model.shown(row, colour=True)).plain == model.shown(row)
    row["attention"] = [[token, weight] for token, weight in zip(text.split(), (0.7, 0.2, 0.1), strict=False)]
    assert render(model.shown(row, colour=True)).plain == model.shown(row)


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceRegressor])
def test_what_is_said_to_be_as_for_another_method_stands_there(kind):
    for name in ("predict", "evaluate", "predict_rows"):
        said = getattr(kind, name).__doc__
        (other,) = set(re.findall(r"As for :meth:`(\w+)`", said))
        assert "data : path" in getattr(kind, other).__doc__


def test_a_level_is_found_where_none_is_named():
    words = SequenceClassifier(**SMALL).prepare(["a b", "c d"] * 10, [0, 1] * 10)
    characters = SequenceClassifier(**SMALL).prepare(["ab", "cd"] * 10, [0, 1] * 10)
    assert (words.schema.inputs.unit, characters.schema.inputs.unit) == ("word", "character")
    it = SequenceClassifier(**SMALL).prepare(["The (good) film's", "bad, bad"] * 10, [0, 1] * 10)
    assert it.schema.inputs.tokens("The (good) film's") == ["the", "(", "good", ")", "film's"]
    assert it.schema.inputs.encode("good", "")[0] == it.schema.inputs.encode("(good", "")[1] != 0
    cut = SequenceClassifier(**SMALL, max_length=3).prepare(["a b c d e", "a b"] * 10, [0, 1] * 10)
    assert max(len(example.sequence) for example in cut.train.examples) == 3


def test_numbers_are_told_of_series_and_tables(tmp_path):
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(rng.integers(2, 6), 1)) for _ in range(100)]
    totals = [5.0 + float(one.sum()) for one in series]
    options = {
        **SMALL,
        "engine": "auto",
        "hidden_size": 8,
        "batch_size": 16,
        "lr": 0.05,
        "warmup": 3,
        "pooling": "last",
    }
    model = SequenceRegressor(**options).fit(series, totals, epochs=15)
    figures = model.evaluate(series, totals)
    assert figures["r2"] > 0.8
    assert figures["mse"] == pytest.approx(np.mean((model.predict(series) - totals) ** 2))
    assert figures["mse"] == pytest.approx((1 - figures["r2"]) * np.var(totals))
    assert model.score(series, totals) == figures["r2"]
    baseline = model.report_["baseline"]
    assert baseline["name"] == "linear regression on means and spreads"
    assert baseline["mean"]["r2"] <= 0.01
    model.save(tmp_path / "run")
    assert (
        SequenceRegressor.load(tmp_path / "run").predict(series[:3]).tolist()
        == model.predict(series[:3]).tolist()
    )
    (tmp_path / "t.csv").write_text("text,stars\n" + "".join(f"so {n},{n}\n" for n in range(12)))
    ratings = SequenceRegressor(**SMALL, label_column="stars").fit(tmp_path / "t.csv", steps=1)
    row = next(ratings.predict_rows(tmp_path / "t.csv"))
    assert isinstance(row["prediction"], float)
    for bad, message in (("many", "expected a number"), ("nan", "expected a finite number")):
        message = rf"line 3, column 2 \('stars'\): {message}"
        (tmp_path / "t.csv").write_text(f"text,stars\na,1\nb,{bad}\nc,2\nd,3\n")
        with pytest.raises(DataError, match=message):
            SequenceRegressor(**SMALL, label_column="stars", test_fraction=0, valid_fraction=0).prepare(
                tmp_path / "t.csv"
            )
    with pytest.raises(DataError, match="expected different numbers to tell, got 2 throughout"):
        SequenceRegressor(**SMALL).prepare(series[:9], [2.0] * 9)
