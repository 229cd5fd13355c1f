"""What the README and the demo say to type works, with steps for minutes and a short text for a long one."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from noria.cli import sources
from noria.cli.app import VERBS, run
from noria.data import Text
from noria.models.loading import MODELS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

STORY = "".join(
    f"The wheel took {k} buckets of water, and the {k % 7} ducks of the mill looked on.\n" for k in range(60)
)

MONTHS = [f"{1990 + k // 12}-{k % 12 + 1:02}-01,{k + k % 12}\n" for k in range(96)]
FILES = {
    "book.txt": STORY,
    "reviews.csv": "text,label\n" + "a good film,good\na bad film,bad\n" * 20,
    "tagged.txt": "the/D cat/N sat/V\nno/D old/A dog/N ran/V\n" * 20,
    "passengers.csv": "".join(["ds,y\n", *MONTHS]),
    "pairs.tsv": "es\ten\n" + "".join(f"número {k}\tnumber {k}\n" for k in range(60)),
}

# The whole difference between what is read and what is run.
SHORTER = [
    ("--minutes 2", "--steps 3 --hidden-size 8 --batch-size 2 --sample-length 10"),
    ("minutes=2", "steps=3"),
    ("--length 400", ""),
    ("--temperature 0.7", "--temperature 0.7 --length 20"),
    ("temperature=0.7)", "temperature=0.7, length=20)"),
    ("hidden_size=256", "hidden_size=8"),
    ("LanguageModel(cell=cell)", "LanguageModel(cell=cell, hidden_size=8)"),
    ("minutes=1", "steps=3"),
]


def shortened(text: str) -> str:
    for long, short in SHORTER:
        text = text.replace(long, short)
    assert "minutes" not in text, "this would train for minutes"
    return text


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def commands(console: str) -> list[str]:
    return [line.removeprefix("$ ") for line in console.splitlines() if line.startswith("$ ")]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the book of the README, and a short text in place of the built-in one."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.setitem(sources.BUILT_IN, "python", lambda: Text(STORY, "a short stand-in"))
    return tmp_path


def test_the_commands_of_the_readme(desk: Path, capsys: pytest.CaptureFixture[str]):
    typed = [line for block in blocks("console") for line in commands(block)]
    ours = [line for line in typed if line.startswith("noria ")]
    assert [line for line in typed if line not in ours] == ["make demo"]
    assert len(ours) >= 2
    for line in ours:
        assert run(shlex.split(shortened(line))[1:]) == 0, line
    assert capsys.readouterr().out.startswith("The ")


def test_the_demo(desk: Path, capsys: pytest.CaptureFixture[str]):
    recipe = re.search(r"^demo:.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE)
    assert recipe is not None
    lines = [line.strip().replace("$(RUN)", "runs/demo") for line in recipe.group(1).splitlines()]
    assert [line.split()[:2] for line in lines] == [["$(BIN)/noria", "train"], ["$(BIN)/noria", "sample"]]
    for line in lines:
        assert run(shlex.split(shortened(line))[1:]) == 0, line
    assert capsys.readouterr().out.startswith("The ")


@pytest.mark.parametrize("snippet", blocks("python"), ids=lambda text: text.splitlines()[0])
def test_the_python_of_the_readme(desk: Path, snippet: str):
    (desk / "snippet.py").write_text(shortened(snippet), encoding="utf-8")
    left = runpy.run_path("snippet.py")
    assert {"LanguageModel", "Translator"} & left.keys()
    if "model" in left:
        assert left["model"].sample("The ", length=5).startswith("The ")


def test_there_is_python_in_the_readme():
    assert len(blocks("python")) == 4


def test_every_verb_and_flag_of_the_readme_exists(capsys: pytest.CaptureFixture[str]):
    helps = ""
    for verb in [[v] for v in VERBS] + [["cell", "show"], ["cell", "list"], *(["train", t] for t in MODELS)]:
        assert run([*verb, "--help"]) == 0
        helps += capsys.readouterr().out
    flags = set(re.findall(r"--[a-z][a-z_-]*", README)) - {"--help"}
    assert len(flags) > 8
    missing = {flag for flag in flags if flag.replace("_", "-") not in helps}
    assert not missing
    verbs = set(re.findall(r"(?:^\$ |`)noria ([a-z]+)", README, flags=re.MULTILINE))
    assert verbs <= set(VERBS)
    assert set(VERBS) <= verbs


def test_the_files_that_the_readme_points_at_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README) + re.findall(r"`(src/[\w/.]+)`", README):
        assert (ROOT / target).exists(), target


def test_the_places_that_the_architecture_names_exist():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    places = set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|eq))?)`", text))
    assert len(places) > 30
    missing = {
        place for place in places if not (ROOT / "src/noria" / place).exists() and not (ROOT / place).exists()
    }
    assert not missing


def test_python_m_noria():
    command = [sys.executable, "-m", "noria", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0.1.0\n"
