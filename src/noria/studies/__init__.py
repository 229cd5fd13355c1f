"""Comparing fairly: one budget and the same seeds for every variant, no word that figures do not bear.

A study is a folder, like a run: what was asked for, a file for each finished run, and the report. Names are
imported where they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.studies.design import Study, Variant
    from noria.studies.running import run_study
    from noria.studies.statistics import Difference, paired_difference

__all__ = ["Difference", "Study", "Variant", "paired_difference", "run_study"]

_MODULE_OF = {
    "Difference": "statistics",
    "Study": "design",
    "Variant": "design",
    "paired_difference": "statistics",
    "run_study": "running",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'noria.studies' has no attribute {name!r}")
    value: object = getattr(import_module(f"noria.studies.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
