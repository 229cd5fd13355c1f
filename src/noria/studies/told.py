"""What every part of the report of a study is written from."""

from dataclasses import dataclass

from noria.reports.prose import MISSING, Prose
from noria.studies.design import Study
from noria.studies.results import Results


@dataclass(frozen=True, eq=False)
class Told:
    """A study whose report is written.

    Attributes
    ----------
    study : Study
    results : Results
    say : Prose
    """

    study: Study
    results: Results
    say: Prose

    @property
    def metric(self) -> str:
        """The name of the figure that is compared."""
        return self.say.metric(self.results.metric)

    @property
    def data(self) -> tuple[str, str]:
        """What is read, after the word for it."""
        study = self.study
        return self.say("data"), self.results.source or ", ".join(study.files) or study.data or MISSING
