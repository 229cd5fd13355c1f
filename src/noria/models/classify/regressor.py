"""A regressor of sequences: one number told of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from noria.models.classify.answering import shown_beside
from noria.models.classify.options import RegressorOptions
from noria.models.classify.preparing import PreparedSequences
from noria.models.classify.sequence_model import SequenceModel
from noria.models.classify.targets import NumberTargets, Targets, Terms
from noria.models.model import Metric


@dataclass(kw_only=True, repr=False, eq=False)
class SequenceRegressor(SequenceModel, RegressorOptions):
    """Tells a number of a sequence: a rating of a text, the sum of what was marked in a series.

    steps -> embedding -> recurrent layers (or convolutions) -> pooling -> linear

    All that is said of :class:`~noria.models.classify.classifier.SequenceClassifier` holds here, but that
    numbers are told. They are learnt with mean 0 and variance 1 over the training part, by squared errors or
    what `loss` says; ``"loss"`` among the figures is that of scaled numbers.

    Attributes
    ----------
    schema_ : SequenceSchema
    network_ : Stack
    parameters_ : FlatParameters
    description_ : Description or None
    report_ : dict

    Examples
    --------
    >>> model = SequenceRegressor(cell="gru").fit(series, numbers, minutes=2)  # doctest: +SKIP
    >>> model.predict(series)  # doctest: +SKIP
    """

    task: ClassVar[str] = "regress"
    metric: ClassVar[Metric] = Metric("mse", "mse", ".2g")
    default_data: ClassVar[str] = "adding"
    targets_class: ClassVar[type[Targets]] = NumberTargets
    _higher_is_better: ClassVar[bool] = False

    def score(self, data: Any, y: Any = None) -> float:
        """Give the share of the variance that is told, R^2, as scikit-learn wants it."""
        return float(self.evaluate(data, y)["r2"])

    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say the mean squared error."""
        return f"mean squared error {figures['mse']:.3g} (mean absolute {figures['mae']:.3g})"

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write an answer, with six digits that count, and what it is an answer to."""
        said = "" if row["prediction"] is None else f"{row['prediction']:.6g}"
        return f"{said}\t{shown_beside(row, colour=colour)}"

    def __sklearn_tags__(self) -> object:
        """Say to scikit-learn that this is a regressor, of sequences that need not be rows of a table."""
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="regressor",
            target_tags=TargetTags(required=True, multi_output=False),
            regressor_tags=RegressorTags(),
            input_tags=InputTags(two_d_array=True, three_d_array=True, string=True),
            non_deterministic=False,
        )

    def _terms(self, prepared: PreparedSequences | None = None) -> Terms:
        return Terms(errors=self.loss)
