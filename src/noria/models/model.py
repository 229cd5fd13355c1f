"""What every model is: it is fitted, saved and opened, answers, and can be looked into.

A task is one class: ``class SequenceTagger(Model, TaggerOptions)``. It says how its data are read, how they
become a network, what the trainer trains, and how answers are measured; all else is here, in
:mod:`noria.models.fitting` and in :mod:`noria.models.saving`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from noria.engines.threads import use_threads
from noria.errors import OptionError
from noria.models.choosing import holding
from noria.models.description import ModelDescription
from noria.models.explaining import Subject, explained, gradients
from noria.models.explanation import Explanation
from noria.models.fitting import Fitting
from noria.models.gradient_reach import GradientThroughTime
from noria.models.wiring import describe_model


@dataclass(frozen=True)
class Metric:
    """The figure that stands beside the loss while a model trains.

    Attributes
    ----------
    title : str
        Over its column, six characters at most.
    key : str
        Among the figures of an evaluation.
    form : str
        How it is written, as ``format`` takes it.
    """

    title: str
    key: str
    form: str


class Model(Fitting):
    """A network with the data it is for.

    Attributes
    ----------
    network_ : Layer
    parameters_ : FlatParameters
    description_ : Description or None
        What was understood of data and network before training; None of a model that was loaded.
    report_ : dict
        What training came to: figures on ``validation`` and ``test``, the ``baseline`` on the same test part,
        ``steps``, ``best_step``, ``parameters``, ``seconds``.
    chosen_ : dict
        What options that were left open came to be.
    """

    metric: ClassVar[Metric]
    default_data: ClassVar[str]
    """The built-in data set that it is trained on where none is named."""

    @abstractmethod
    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say figures of a part, or of a baseline, in a few words."""

    def predict_rows(self, source: Any) -> Iterator[dict[str, Any]]:
        """Answer each row of a source in order, as they come, without holding all of it.

        Parameters
        ----------
        source : path or text stream
            None where nothing was named.

        Yields
        ------
        dict
            Plain values: one JSON object for each row.
        """
        raise OptionError(f"{type(self).__name__}: has no answers to rows; see sample and evaluate.")

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write one row of :meth:`predict_rows` for a reader; with colour as rich's markup has it."""
        return "\t".join(str(value) for value in row.values())

    def metric_of(self, prepared: Any) -> Metric:
        """Give the figure that is shown beside the loss while it trains on these data."""
        return self.metric

    def next_steps(self, run: str) -> Sequence[str]:
        """Give the commands that go on from a run."""
        return (f"noria evaluate {run} FILE", f"noria predict {run} FILE", f"noria info {run}")

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        """Give one input with what is to be done with it, for looking inside; `target` may be None."""
        raise OptionError(f"{type(self).__name__}: has no inputs that can be looked at.")

    @property
    def summary(self) -> ModelDescription:
        """The layers, their sizes and the number of their parameters."""
        self._need_fit("be summed up")
        return describe_model(self.network_, self)

    def explain(self, data: Any, target: Any = None, *, row: int = 0) -> Explanation:
        """Read one input and record every value that the equations name, attention, and the answers.

        Parameters
        ----------
        data : text, sequence, or path
            One input, as a list of them is predicted: a text, a sequence of words or of numbers, a source.
            Of a path (:class:`pathlib.Path`), one of the inputs in that file.
        target : optional
            What the right answer is; written beside the model's own.
        row : int, default 0
            Which input of a file.

        Returns
        -------
        Explanation
            Arrays in the precision of the model, and answers with their probabilities.

        Raises
        ------
        DataError
            If the input cannot be read, or recording it does not fit into memory: says how much would.
        """
        self._need_fit("be explained")
        with use_threads(self.threads):
            return explained(self.network_, self._subject(data, target, row), self.task)

    def gradient_through_time(
        self, data: Any, target: Any = None, *, at: int | None = None, row: int = 0
    ) -> GradientThroughTime:
        """Give the norm of the gradient of a loss in the state at each step, in double precision.

        Parameters
        ----------
        data, target, row
            As for :meth:`explain`; without a target the loss is that of the model's own answer.
        at : int, optional
            The position whose answer the loss is of, where there is one at each; the last one by default.

        References
        ----------
        Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013.
        """
        self._need_fit("be explained")
        subject = self._subject(data, target, row)
        with holding(self, {**self.chosen_, "dtype": "float64"}):
            twin = self._built(self._fitted.cells, self._fitted.schema, self._fitted.about)
        twin.parameters.load_state_dict(self.parameters_.state_dict())
        with use_threads(self.threads):
            return gradients(twin.network, subject, at)
