"""A run is a folder: what was asked for, the weights, the log and the report, each file whole at any moment.

====================  ====================================================================
config.toml           format and version, the task, the options, the text of the cells
schema.json           what the model knows of its data: labels, columns, scales; of a text: vocab.json
best.safetensors      the weights that did best on the validation part
last.safetensors      the latest weights with all that going on from them needs
log.jsonl             the events, one on a line
report.json           what the run came to
====================  ====================================================================
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import noria
from noria.arrays import Array
from noria.errors import RunError
from noria.training.files import HALF, read_arrays, read_note, read_toml, write_arrays, write_atomically
from noria.training.made import Made
from noria.training.report import plain

FORMAT = 1
WEIGHTS = "weights/"

Which = Literal["best", "last"]


class RunFolder:
    """A run on the disk. Make one with :meth:`create`, or :meth:`open` one that is there.

    Attributes
    ----------
    path : Path
    config : dict
        What config.toml holds.
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        self.config = config
        self._made = Made()

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @classmethod
    def create(
        cls,
        path: str | Path | None = None,
        *,
        task: str = "run",
        cell: str = "",
        config: Mapping[str, Any] | None = None,
        root: str | Path = "runs",
    ) -> "RunFolder":
        """Make the folder of a new run, with its config.

        Parameters
        ----------
        path : str or Path, optional
            Where; by default the next free ``runs/<task>-<cell>-0001``, counting up.
        task, cell : str
            For the name and the config.
        config : mapping, optional
            What config.toml says besides the format, the version and the task; None has no place in TOML.
        root : str or Path
            Where runs without a path go.

        Raises
        ------
        RunError
            If the folder exists and is not empty, or cannot be made.
        """
        name = "-".join(re.sub(r"[^\w.]+", "_", part) for part in (task, cell) if part)
        root = Path(root)
        run = cls(root if path is None else Path(path), {})
        with run.complete_or_removed():
            try:
                if path is None:
                    run._make_next(root, name)
                else:
                    run._make_named(root, name)
            except RunError:
                raise
            except OSError as error:
                place = error.filename or path or root
                raise RunError(
                    f"{place}: the run folder cannot be made: {error.strerror or error}."
                ) from error
            run.update_config({"format": FORMAT, "noria": noria.__version__, "task": task, **(config or {})})
        return run

    @contextlib.contextmanager
    def complete_or_removed(self) -> Iterator[None]:
        """Remove all that was made of the run if what is done inside fails while it is not complete.

        That is the files and folders which this object made, parents of the folder included, and nothing
        else. :meth:`is_complete` ends it: from then on a failure leaves what there is.
        """
        try:
            yield
        except BaseException:
            self._made.remove()
            raise

    def is_complete(self) -> None:
        """Say that the run holds weights that can be loaded: it will not be removed any more."""
        self._made.forget()

    def _make_named(self, root: Path, name: str) -> None:
        refuse_taken(self.path, f"Choose another folder ({_next_path(root, name)} is free)")
        self._made.make_folders(self.path)

    def _make_next(self, root: Path, name: str) -> None:
        self._made.make_folders(root)
        while True:
            self.path = _next_path(root, name)
            try:
                self.path.mkdir()
            except FileExistsError:
                continue  # somebody else took it just now
            self._made.note(self.path)
            return

    @classmethod
    def open(cls, path: str | Path) -> "RunFolder":
        """Open the folder of a run that was made before.

        Raises
        ------
        RunError
            If there is nothing there, it is not a run, its config is damaged, or a newer version of Noria
            made it.
        """
        folder = Path(path)
        if not folder.exists():
            near = sorted(entry.parent.name for entry in folder.parent.glob("*/config.toml"))
            there = f"\n  In {folder.parent} there are: {', '.join(near[-8:])}." if near else ""
            raise RunError(f"{folder}: there is no such run.{there}")
        file = folder / "config.toml"
        if not file.is_file():
            raise RunError(
                f"{folder}: is not a run: it has no config.toml.\n  Name the folder that training wrote."
            )
        config = read_toml(file)
        number = config.get("format")
        if not isinstance(number, int) or number < 1:
            raise RunError(
                f"{file}: is not the config of a run: expected 'format = 1', got format = {number!r}."
            )
        if number > FORMAT:
            raise RunError(
                f"{folder}: was made by Noria {config.get('noria', '(unknown)')} with format {number}; "
                f"this is Noria {noria.__version__}, which reads up to {FORMAT}.\n  Upgrade Noria to open it."
            )
        run = cls(folder, config)
        run.is_complete()
        return run

    def update_config(self, changes: Mapping[str, Any]) -> None:
        """Set entries of the config and write it. Tables are merged, None entries left out."""
        import tomli_w

        merged = dict(self.config)
        for key, value in changes.items():
            before = merged.get(key)
            merged[key] = (
                {**before, **value} if isinstance(before, dict) and isinstance(value, Mapping) else value
            )
        merged = _without_none(merged)
        file = self._made.file(self.path / "config.toml")
        write_atomically(file, tomli_w.dumps(merged, multiline_strings=True).encode())
        self.config = merged

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file of the run, ``"vocab.json"`` or ``"report.json"``."""
        text = json.dumps(plain(content), ensure_ascii=False, indent=2)
        write_atomically(self._made.file(self.path / name), (text + "\n").encode())

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the run.

        Raises
        ------
        RunError
            If it is missing or damaged.
        """
        file = self.path / name
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"{file}: the file is missing.") from error
        except OSError as error:
            raise RunError(f"{file}: cannot be read: {error.strerror or error}.") from error
        except ValueError as error:
            raise RunError(
                f"{file}: the file is damaged: {error}.\n  Copy the run again from where it was made."
            ) from error
        if not isinstance(content, dict):
            raise RunError(f"{file}: the file is damaged: expected an object, got {type(content).__name__}.")
        return content

    def update_report(self, changes: Mapping[str, Any]) -> None:
        """Set entries of report.json, others stay."""
        before = self.read_json("report.json") if (self.path / "report.json").exists() else {}
        self.write_json("report.json", {**before, **changes})

    def write_arrays(self, which: Which, arrays: Mapping[str, Array], **note: object) -> None:
        """Write best.safetensors (weights by their names) or last.safetensors (prefixed names)."""
        write_arrays(
            self._made.file(self.path / f"{which}.safetensors"),
            arrays,
            json.dumps({"format": FORMAT, **plain(dict(sorted(note.items())))}),
        )

    def read_arrays(self, which: Which) -> dict[str, Array]:
        """Read best.safetensors or last.safetensors as it is.

        Raises
        ------
        RunError
            If it is missing or damaged.
        """
        return read_arrays(self.path / f"{which}.safetensors")

    def read_note(self, which: Which) -> dict[str, Any]:
        """Read what stands beside the arrays of best.safetensors or last.safetensors: step and figures.

        Raises
        ------
        RunError
            If the file is missing or damaged.
        """
        return read_note(self.path / f"{which}.safetensors")

    def read_weights(self) -> dict[str, Array]:
        """Read the weights of the run: the best, or the last where there was no evaluation yet.

        Raises
        ------
        RunError
            If there are none, or the file is damaged.
        """
        if (self.path / "best.safetensors").exists() or not (self.path / "last.safetensors").exists():
            return self.read_arrays("best")
        last = self.read_arrays("last")
        return {name.removeprefix(WEIGHTS): array for name, array in last.items() if name.startswith(WEIGHTS)}


def refuse_taken(folder: Path, advice: str) -> None:
    """Refuse a folder for a new run if there is something in it; ``advice`` says what to do instead.

    Files that were never whole are nothing: a run that was killed in its first instant left them.

    Raises
    ------
    RunError
        If it is taken.
    """
    if folder.exists() and not (folder.is_dir() and all(entry.match(HALF) for entry in folder.iterdir())):
        raise RunError(
            f"{folder}: is already there, and a new run never writes over an old one.\n"
            f"  {advice}, or remove this one."
        )


def _next_path(root: Path, name: str) -> Path:
    """Find the first free ``root/name-0001``, after the highest number that was ever given."""
    taken = [re.fullmatch(rf"{re.escape(name)}-(\d{{4,}})", entry.name) for entry in root.glob(f"{name}-*")]
    number = max((int(match.group(1)) for match in taken if match), default=0) + 1
    return root / f"{name}-{number:04d}"


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in table.items()
        if value is not None
    }
