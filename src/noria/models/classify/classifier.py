"""A classifier of sequences: texts, series, recordings, lists of symbols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from noria.arrays import Array, Float
from noria.data.records import SERIES
from noria.models.classify.answering import shown_beside, styled
from noria.models.classify.options import ATTENTION, ClassifierOptions
from noria.models.classify.preparing import PreparedSequences
from noria.models.classify.sequence_model import SequenceModel
from noria.models.classify.targets import LabelTargets, Targets, Terms
from noria.models.description import Description
from noria.models.model import Metric
from noria.models.saving import Fitted

SHADES = ("", "dim", "", "bold", "bold underline")
MOST, OFTEN, SHOWN = 10, 5, 1000
"""How many symbols are listed, how often they must occur, in how many test sequences they are looked for."""


@dataclass(kw_only=True, repr=False, eq=False)
class SequenceClassifier(SequenceModel, ClassifierOptions):
    """Tells which class a sequence belongs to.

    steps -> embedding -> recurrent layers (or convolutions) -> pooling -> linear -> softmax

    It has the manners of scikit-learn's classifiers: ``clone``, ``cross_val_score`` and ``GridSearchCV`` take
    it as one of their own. All parameters are options; ``noria.training.options_of(SequenceClassifier)``
    lists them with meaning, range and reason.

    Attributes
    ----------
    classes_ : array
        The labels, in the order of the columns of :meth:`predict_proba`.
    schema_ : SequenceSchema
        How sequences and labels are turned into what the network has.
    network_ : Stack
    parameters_ : FlatParameters
    description_ : Description or None
        What was understood of data and network before training; None of a model that was loaded.
    report_ : dict
        What training came to: figures on ``validation`` and ``test``, the ``baseline`` on the same test part,
        ``steps``, ``best_step``, ``parameters``, ``seconds``; of the test part ``macro_f1``, the figures of
        all ``classes``, the ``confusion``, and where attention pools symbols, those most ``attended``.

    Examples
    --------
    >>> model = SequenceClassifier(cell="gru").fit("reviews.csv", minutes=2)  # doctest: +SKIP
    >>> model.predict(["what a film"])  # doctest: +SKIP

    References
    ----------
    Graves, Mohamed & Hinton 2013, of recurrent layers over speech; Yang et al. 2016, of attention over words.
    """

    task: ClassVar[str] = "classify"
    metric: ClassVar[Metric] = Metric("acc", "accuracy", ".3f")
    default_data: ClassVar[str] = "digits"
    targets_class: ClassVar[type[Targets]] = LabelTargets
    _higher_is_better: ClassVar[bool] = True

    def predict_proba(self, data: Any) -> Float[Array, "S C"]:
        """Give the probability of every class, in the order of ``classes_``.

        Parameters
        ----------
        data : path, data frame, or sequences
            As for :meth:`predict`.
        """
        return self._answer(self.outputs(data))

    def score(self, data: Any, y: Any = None) -> float:
        """Give the share of sequences whose label is told."""
        return float(self.evaluate(data, y)["accuracy"])

    def most_attended(self, data: Any, *, top: int = MOST) -> dict[Any, list[tuple[str, float]]]:
        """Give the symbols that attention rests on, for each class that the model tells.

        Parameters
        ----------
        data : path, data frame, or sequences
            As for :meth:`predict`.
        top : int, default 10

        Returns
        -------
        dict
            For each class the symbols with the highest mean share of attention, in even shares, of those that
            occur five times or more, or in a tenth of its sequences.
        """
        weights, answers = self.attention_weights(data), self.predict(data).tolist()
        return self._most_attended(weights, answers, top)

    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say the accuracy."""
        return f"accuracy {figures['accuracy']:.1%} ({figures['loss']:.3f} nats)"

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write an answer; with colour, words as strongly as attention rests on them."""
        if row["prediction"] is None:
            return "\t\t"
        attended, text = row.get("attention"), shown_beside(row, colour=colour)
        label = styled(str(row["prediction"])) if colour else str(row["prediction"])
        if colour and attended:
            even = 1 / len(attended)
            text = " ".join(styled(token, _shade(weight / even)) for token, weight in attended)
        return f"{label}\t{row['probability']:.3f}\t{text}"

    def _rows(self, outputs: Float[Array, "S O"]) -> list[dict[str, Any]]:
        targets = self._labels()
        return [
            {
                "prediction": targets.labels[number],
                "probability": float(row[number]),
                "probabilities": {str(label): float(p) for label, p in zip(targets.labels, row, strict=True)},
            }
            for row in targets.probabilities(outputs)
            for number in (int(row.argmax()),)
        ]

    def _answer(self, outputs: Float[Array, "S O"]) -> Array:
        return self._labels().probabilities(outputs)

    def _all_figures(self, outputs: Float[Array, "S O"], targets: Array) -> dict[str, Any]:
        from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

        known = self._labels()
        numbers, names = list(range(known.size)), [str(label) for label in known.labels]
        answers = outputs.argmax(axis=1)
        scores = precision_recall_fscore_support(targets, answers, labels=numbers, zero_division=0.0)
        classes = {
            name: {
                "precision": float(scores[0][number]),
                "recall": float(scores[1][number]),
                "f1": float(scores[2][number]),
                "sequences": int(scores[3][number]),
            }
            for number, name in enumerate(names)
        }
        counts = confusion_matrix(targets, answers, labels=numbers)
        return {
            **super()._all_figures(outputs, targets),
            "classes": classes,
            "confusion": {"labels": names, "counts": counts.tolist()},
        }

    def _details(self, prepared: PreparedSequences) -> dict[str, Any]:
        """Give the figures of each class, and the symbols that attention rests on for each."""
        examples = prepared.test.examples
        if not examples:
            return {}
        outputs = self._outputs(examples)
        figures = self._all_figures(outputs, np.array([example.target for example in examples]))
        details = {name: figures[name] for name in ("macro_f1", "classes", "confusion")}
        if self.pooling == ATTENTION and self._schema("attend").inputs.kind != SERIES:
            weights = self._attention(prepared.test.records[:SHOWN], examples[:SHOWN])
            attended = self._most_attended(weights, self._labels().answers(outputs[:SHOWN]), MOST)
            details["attended"] = {
                str(label): [list(pair) for pair in own] for label, own in attended.items()
            }
        return details

    def _most_attended(
        self, weights: Sequence[Sequence[tuple[str, float]]], answers: Sequence[Any], top: int
    ) -> dict[Any, list[tuple[str, float]]]:
        """Give the symbols with the highest mean share of attention for each answer."""
        found: dict[Any, list[tuple[str, float]]] = {}
        for label in self._labels().labels:
            own = [pairs for pairs, answer in zip(weights, answers, strict=True) if answer == label]
            shares: dict[str, list[float]] = {}
            for pairs in own:
                for token, weight in pairs:
                    shares.setdefault(token, []).append(weight * len(pairs))
            least = min(OFTEN, max(1, len(own) // 10))
            means = {token: float(np.mean(each)) for token, each in shares.items() if len(each) >= least}
            found[label] = sorted(means.items(), key=lambda item: (-item[1], item[0]))[:top]
        return found

    @property
    def _resampling(self) -> str:
        return self.resampling

    def _terms(self, prepared: PreparedSequences | None = None) -> Terms:
        """Give smoothing, and weights with which every class of the data counts as much, one on average."""
        if self.class_weights == "none" or prepared is None:
            return Terms(self.label_smoothing)
        labels = [example.target for example in prepared.train.examples]
        counts = np.bincount(np.array(labels), minlength=prepared.schema.targets.size)
        weights = len(labels) / (np.maximum(counts, 1) * len(counts))
        return Terms(self.label_smoothing, np.asarray(weights))

    def _labels(self) -> LabelTargets:
        targets = self.schema_.targets
        assert isinstance(targets, LabelTargets)
        return targets

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.classes_: Array = np.array(self._labels().labels)

    def __sklearn_tags__(self) -> object:
        """Say to scikit-learn that this is a classifier, of sequences that need not be rows of a table."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True, multi_output=False),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=True, three_d_array=True, string=True),
            non_deterministic=False,
        )


def _shade(share: float) -> str:
    """Give the style of a word with so many times an even share of attention."""
    return SHADES[1] if share < 0.5 else SHADES[3] if 1.5 <= share < 3 else SHADES[4] if share >= 3 else ""
