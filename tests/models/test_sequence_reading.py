"""Every kind of file reaches the model, and what does not fit is named before anything is trained."""

import io
import json

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
    with pytest.raises(DataError, match="line 2: expected a text, got nothing but white space"):
        list(model.predict_rows(io.StringIO("so good\n\nso bad\n")))


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
    with pytest.raises(DataError, match=r"two\.csv: expected the same columns"):
        SequenceClassifier(**SMALL).prepare([tmp_path / "one.csv", tmp_path / "two.csv"])


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
    for bad, message in (("many", "line 3: expected a number"), ("nan", "line 3: expected a finite number")):
        (tmp_path / "t.csv").write_text(f"text,stars\na,1\nb,{bad}\nc,2\nd,3\n")
        with pytest.raises(DataError, match=message):
            SequenceRegressor(**SMALL, label_column="stars", test_fraction=0, valid_fraction=0).prepare(
                tmp_path / "t.csv"
            )
    with pytest.raises(DataError, match="expected different numbers to tell, got 2 throughout"):
        SequenceRegressor(**SMALL).prepare(series[:9], [2.0] * 9)
