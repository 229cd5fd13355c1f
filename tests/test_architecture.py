"""The house: which room may import which, and how light the door is."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "noria"

# The order in which data passes through the rooms: a room imports from those before it, and from nobody else.
ROOMS = (
    "equations",
    "compiler",
    "engines",
    "sequences",
    "layers",
    "training",
    "data",
    "models",
    "inspection",
    "reports",
    "studies",
    "testing",
    "cli",
)
# Stand beside the rooms. `noria` itself is the lazy front door: a room may only ask it for its version.
BESIDE = {"arrays", "errors"}
DOORS = {"cli", "testing"}  # nobody imports them

# Imported inside the function that uses them, so that the rest stays light.
HEAVY = {
    "rich",
    "cyclopts",
    "safetensors",
    "charset_normalizer",
    "tomli_w",
    "matplotlib",
    "fpdf",
    "sklearn",
    "pandas",
    "torch",
    "scipy",
    "tokenizers",
    "babel",
    "librosa",
    "num2words",
    "pyarrow",
    "sacrebleu",
    "soundfile",
    "statsmodels",
}
# The exception: cyclopts reads annotations when a verb's module is imported, that is when the verb is called.
HEAVY_ALLOWED = {"cli": {"cyclopts"}}

# Only imported for those who have them already.
OPTIONAL = {
    "babel",
    "librosa",
    "pyarrow",
    "sacrebleu",
    "soundfile",
    "statsmodels",
    "tensorboardX",
    "tokenizers",
    "torch",
}

IMPORTED_AS = {"scikit_learn": "sklearn", "fpdf2": "fpdf"}

FORBIDDEN_CALLS = {"eval", "exec"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path, tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Give every module that `path` imports, anywhere in it, with the line: 'noria.layers.linear'."""
    package = ["noria", *path.relative_to(SOURCE).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                stem = package[: len(package) - node.level + 1]
                module = ".".join(stem + ([node.module] if node.module else []))
            else:
                module = node.module or ""
            yield module, node.lineno
            # `from noria import layers` and `from . import linear` name modules too
            for alias in node.names:
                yield f"{module}.{alias.name}", node.lineno


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def forbidden_imports(path: Path, tree: ast.Module) -> list[str]:
    """Say every import of `path` that goes against the order of the rooms."""
    room = room_of(path)
    said = []
    for module, line in imported(path, tree):
        parts = module.split(".")
        if parts[0] != "noria" or len(parts) < 2:
            continue
        other = parts[1]
        if other == room or other in BESIDE or other not in ROOMS:
            continue
        if room in ("__init__", "__main__"):
            allowed = other not in DOORS or (room == "__main__" and other == "cli")
        elif room in BESIDE:
            allowed = False
        else:
            allowed = other not in DOORS and ROOMS.index(other) < ROOMS.index(room)
        if not allowed:
            said.append(f"line {line}: {room} imports {module}")
    return said


def statements_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when a module is imported: no function bodies, no `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from statements_at_import(child)


def heavy_imports(path: Path, tree: ast.Module) -> list[str]:
    """Say every heavy library that importing `path` itself would load."""
    heavy = HEAVY - HEAVY_ALLOWED.get(room_of(path), set())
    body = ast.Module(
        [n for n in statements_at_import(tree) if isinstance(n, ast.Import | ast.ImportFrom)], []
    )
    return [
        f"line {line}: {module}" for module, line in imported(path, body) if module.split(".")[0] in heavy
    ]


def test_there_are_rooms_to_look_at():
    found = {room_of(path) for path in modules()}
    assert {"equations", "training", "models", "cli", "errors", "arrays"} <= found
    assert found - set(ROOMS) - BESIDE <= {"__init__", "__main__"}, (
        "a room that the table of rooms does not know"
    )


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_run_one_way(path):
    assert forbidden_imports(path, parse(path)) == []


@pytest.mark.parametrize(
    ("place", "line", "wrong"),
    [
        ("layers/linear.py", "from noria.models.base import Estimator", True),
        ("layers/linear.py", "def f():\n    import noria.training", True),
        ("layers/linear.py", "from ..cli import app", True),
        (
            "layers/linear.py",
            "from . import stack\nfrom .stack import Stack\nfrom noria.engines import bind",
            False,
        ),
        ("layers/linear.py", "from noria import data", True),
        ("errors.py", "from noria.equations import Cell", True),
        ("cli/train.py", "from noria.models import load\nfrom noria.errors import NoriaError", False),
        ("cli/train.py", "from noria.testing import check_cell", True),
        ("models/base.py", "from noria import __version__", False),
    ],
)
def test_the_walk_sees_what_it_should(place, line, wrong):
    assert bool(forbidden_imports(SOURCE / place, ast.parse(line))) is wrong


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_heavy_libraries_are_imported_where_they_are_used(path):
    assert heavy_imports(path, parse(path)) == []


@pytest.mark.parametrize(
    ("place", "text", "wrong"),
    [
        ("data/text.py", "import charset_normalizer", True),
        ("data/text.py", "try:\n    from rich import table\nexcept ImportError:\n    pass", True),
        ("data/text.py", "def f():\n    import charset_normalizer", False),
        ("data/text.py", "if TYPE_CHECKING:\n    import torch", False),
        ("data/text.py", "import cyclopts", True),
        ("cli/train.py", "import cyclopts", False),
        ("cli/train.py", "import rich", True),
    ],
)
def test_the_heavy_walk_sees_what_it_should(place, text, wrong):
    assert bool(heavy_imports(SOURCE / place, ast.parse(text))) is wrong


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    project = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = (re.split(r"[<>=~!;\[ ]", line)[0].replace("-", "_") for line in project["dependencies"])
    declared = {IMPORTED_AS.get(name, name) for name in names}
    used = {module.split(".")[0] for path in modules() for module, _ in imported(path, parse(path))}
    assert used - sys.stdlib_module_names - {"noria"} - OPTIONAL == declared


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_nothing_unsafe_and_nothing_unfinished(path):
    tree = parse(path)
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & FORBIDDEN_CALLS
    assert not {module.split(".")[0] for module, _ in imported(path, tree)} & FORBIDDEN_MODULES
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert "NotImplementedError" not in names
    if room_of(path) != "cli":
        assert "print" not in calls, "the library is silent: only the command line prints"


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PYTHONPATH": str(SOURCE.parent), "PATH": ""},
    )
    return done.stdout


def test_importing_noria_imports_next_to_nothing():
    loaded = set(run_python("import sys, noria; print(*sys.modules)").split())
    roots = {name.split(".")[0] for name in loaded}
    assert not roots & (HEAVY | {"numpy", "jaxtyping"})
    assert {name for name in loaded if name.startswith("noria")} == {"noria"}


def test_the_version_needs_no_numpy():
    code = (
        "import sys\n"
        "from noria.cli.app import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print(*sys.modules)\n"
    )
    version, *rest = run_python(code).splitlines()
    assert version == "0.1.0"
    assert "numpy" not in rest[-1].split()


def test_front_door():
    code = (
        "import noria\n"
        "assert set(noria.__all__) == set(dir(noria)), dir(noria)\n"
        "for name in noria.__all__: assert getattr(noria, name) is not None, name\n"
        "assert noria.cells['lstm'] == noria.cells.lstm\n"
        "try: noria.nothing\nexcept AttributeError as error: print(error)\n"
    )
    assert run_python(code).strip() == "module 'noria' has no attribute 'nothing'"
