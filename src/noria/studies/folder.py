"""A study on the disk: study.json, a file for each run that ended and what its gates did, and the report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noria.errors import RunError
from noria.studies.design import Study, Variant
from noria.training.files import write_atomically
from noria.training.report import plain

STUDY, RUNS = "study.json", "runs"
RESOLVED = "resolved"
"""Where study.json has all options of each variant, as they stood when it was begun."""


class StudyFolder:
    """Where a study is kept; every file in it is whole at any moment.

    Attributes
    ----------
    path : Path
    study : Study
    """

    def __init__(self, path: Path, study: Study) -> None:
        self.path, self.study = path, study

    @classmethod
    def take(cls, path: Path, study: Study) -> "StudyFolder":
        """Make the folder of a study, or go on with the one that is there if it is of the same study.

        Raises
        ------
        RunError
            If it holds another study, one that was begun with other defaults, or something else.
        """
        file = path / STUDY
        if file.exists():
            there = cls.open(path)
            changed = [
                name for name, value in study.to_dict().items() if there.study.to_dict().get(name) != value
            ]
            if changed:
                raise RunError(
                    f"{path}: holds another study: {', '.join(changed)} of it "
                    f"{'is' if len(changed) == 1 else 'are'} not the same.\n"
                    "  Choose another folder with --out."
                )
            if there.missing() and (moved := _moved(read_json(file).get(RESOLVED), study)):
                raise RunError(
                    f"{path}: was begun with other defaults than this version of Noria has, so that its runs "
                    f"would not be alike: {'; '.join(moved)}.\n  Choose another folder with --out."
                )
            return there
        if path.exists() and any(path.iterdir()):
            raise RunError(f"{path}: is there, and is not a study.\n  Choose another folder with --out.")
        try:
            (path / RUNS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{path}: cannot be made: {error.strerror or error}.") from error
        folder = cls(path, study)
        folder.write_json(STUDY, study.to_dict() | {RESOLVED: study.resolved()})
        return folder

    @classmethod
    def open(cls, path: Path) -> "StudyFolder":
        """Open the folder of a study.

        Raises
        ------
        RunError
            If it is none, or is damaged.
        """
        return cls(path, Study.from_dict(read_json(path / STUDY), str(path / STUDY)))

    def file_of(self, variant: Variant, seed: int) -> Path:
        """Where the result of a run is, or will be."""
        return self.path / RUNS / f"{variant.slug}-seed{seed}.json"

    def gates_of(self, variant: Variant, seed: int) -> Path:
        """Where a run keeps what its gates did while it read one input: the folder of an explanation."""
        return self.file_of(variant, seed).with_suffix("")

    def log_of(self, variant: Variant, seed: int) -> Path:
        """Where a run says what went wrong."""
        return self.file_of(variant, seed).with_suffix(".err")

    def results(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Read the runs that ended, by variant and seed."""
        found = {}
        for variant in self.study.variants:
            for seed in self.study.seeds:
                file = self.file_of(variant, seed)
                if file.exists():
                    found[variant.name, seed] = read_json(file)
        return found

    def _has_ended(self, variant: Variant, seed: int) -> bool:
        """Whether there is a result that stays: a process that broke down gets another chance."""
        file = self.file_of(variant, seed)
        return file.exists() and not read_json(file).get("broke_down", False)

    def missing(self) -> list[tuple[Variant, int]]:
        """List the runs that have not ended, all variants of a seed before the next seed."""
        return [
            (variant, seed)
            for seed in self.study.seeds
            for variant in self.study.variants
            if not self._has_ended(variant, seed)
        ]

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a file of the study."""
        write_json(self.path / name, content)


def _moved(before: Mapping[str, Any] | None, study: Study) -> list[str]:
    """Say which options are not what they were when a study was begun; one of before did not keep them."""
    began = plain(study.resolved(earlier=True)) if before is None else before
    now = plain(study.resolved())
    found = [
        f"{name} was {value!r}, is {now[variant].get(name)!r}"
        for variant, options in began.items()
        for name, value in options.items()
        if now[variant].get(name) != value
    ]
    return list(dict.fromkeys(found))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values; what is not finite is null."""
    write_atomically(path, (json.dumps(plain(content), ensure_ascii=False, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read what :func:`write_json` wrote.

    Raises
    ------
    RunError
        If it is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise RunError(
            f"{path}: the file is damaged: {error}.\n  Remove it, and the run is made again."
        ) from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: the file is damaged: expected an object, got {type(content).__name__}.")
    return content
