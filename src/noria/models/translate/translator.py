"""A translator: it learns pairs of sequences, and writes the second for the first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from noria.data.parallel import Pair, open_pairs, read_sources
from noria.data.text import normalised
from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import DataError, OptionError
from noria.layers import EncoderDecoder
from noria.models.explaining import Subject, chosen_row
from noria.models.model import Metric, Model
from noria.models.saving import Fitted
from noria.models.translate.alignment import Alignment, aligned
from noria.models.translate.baseline import baseline_figures
from noria.models.translate.corpus import Example, encoded, source_ids
from noria.models.translate.explaining import subject_of
from noria.models.translate.network import build_network
from noria.models.translate.options import NONE, TranslatorOptions
from noria.models.translate.preparing import PreparedPairs, prepare
from noria.models.translate.schema import PairSchema
from noria.models.translate.scoring import exactness, nats, translations
from noria.models.translate.search import Writer
from noria.models.translate.task import TranslationTask
from noria.training.symbol_loss import SymbolLoss

TOGETHER = 256
"""Rows of a file that are translated together."""


@dataclass(kw_only=True, repr=False, eq=False)
class Translator(Model, TranslatorOptions):
    """Writes one sequence for another: encoder, attention, decoder.

    All parameters are options; ``noria.training.options_of(Translator)`` lists them with meaning, range and
    reason.

    Attributes
    ----------
    source_vocabulary_, target_vocabulary_ : Vocabulary
        The symbols of the training part.

    Examples
    --------
    >>> model = Translator(level="words").fit(spanish, english, minutes=2)  # doctest: +SKIP
    >>> model.predict(["treinta y dos"])  # doctest: +SKIP

    References
    ----------
    Sutskever, Vinyals & Le 2014; Bahdanau et al. 2015; Luong et al. 2015.
    """

    task: ClassVar[str] = "translate"
    metric: ClassVar[Metric] = Metric("exact", "exact_match", ".3f")
    schema_class: ClassVar[type[PairSchema]] = PairSchema
    default_data: ClassVar[str] = "numbers-es-en"

    def prepare(self, data: Any, y: Any = None, *, resuming: bool = False) -> PreparedPairs:
        """Read pairs and fit vocabularies without training; ``fit`` takes the result in place of the data.

        Parameters
        ----------
        data : list of str, path, two paths, data frame, or BuiltinParts
            Sources; or two files of which line n of the first belongs to line n of the second; or a table
            with two columns.
        y : list of str, optional
            Targets, where data are sources.
        resuming : bool, default False
            Nothing is read in addition.
        """
        self.validate()
        return prepare(data, y, self)

    def predict(self, X: Sequence[str]) -> list[str]:
        """Translate sources, in their order; an empty one becomes an empty string."""
        self._need_fit("translate")
        if isinstance(X, str):
            raise DataError("expected a list of sources, got one string.\n  Pass [source].")
        with use_threads(self.threads):
            return self._translated([normalised(source) for source in X], self._writer(self._fitted))

    def attention_weights(self, source: str, target: str | None = None) -> Alignment:
        """Give how much of each symbol of a source every step of its translation looked at.

        Parameters
        ----------
        source : str
        target : str, optional
            Another translation than the model's own.

        Raises
        ------
        OptionError
            If the model has no attention.
        """
        self._need_fit("show attention")
        if self.attention == NONE:
            raise OptionError(
                "The 'attention' option of Translator is 'none': there are no weights to be shown."
            )
        fitted = self._fitted
        with use_threads(self.threads):
            read = source_ids(normalised(source), fitted.schema, "source")
            written = self.predict([source])[0] if target is None else normalised(target)
            return aligned(_network_of(fitted), fitted.schema, read, written)

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        if isinstance(data, Path):
            data = chosen_row(read_sources(data, self.source_column, self.encoding or None), row, str(data))
        if not isinstance(data, str):
            raise DataError(f"expected a source to look at, got {type(data).__name__}.")
        written = self.predict([data])[0] if target is None else target
        schema: PairSchema = self._fitted.schema
        (example,) = encoded([Pair(normalised(data), normalised(written), "source")], schema)
        return subject_of(example, schema)

    def score(self, X: Any, y: Any = None) -> float:
        """Give the share of sources whose translation is exactly the target."""
        examples = self._examples(X, y)
        with use_threads(self.threads):
            answers = translations(self._writer(self._fitted), examples, self._fitted.schema)
        return exactness(answers, examples)["exact_match"]

    def evaluate(self, data: Any, y: Any = None) -> dict[str, Any]:
        """Measure the model on pairs, as ``fit`` takes them.

        Returns
        -------
        dict
            ``loss`` in nats per symbol of the target (its end included), ``exact_match``, the same of the
            thirds by the length of the source (``exact_match_short``, ``..._middle``, ``..._long``), ``bleu``
            where sacrebleu is installed (with ``bleu_order``, the most words in a row that count, where no
            target has four), ``pairs``, ``tokens``, and ``unknown``: symbols of either side that are not in
            the vocabularies.
        """
        examples = self._examples(data, y)
        schema: PairSchema = self._fitted.schema
        with use_threads(self.threads):
            loss, count = nats(_network_of(self._fitted), examples, schema.end)
            answers = translations(self._writer(self._fitted), examples, schema)
        unknown = sum(int((example.read == 0).sum() + (example.written == 0).sum()) for example in examples)
        figures = {"loss": loss, **exactness(answers, examples)}
        return {**figures, "pairs": len(examples), "tokens": count, "unknown": unknown}

    def predict_rows(self, source: Path | Iterable[str] | None) -> Iterator[dict[str, Any]]:
        """Translate each line of a file, or each row of a table, in order, some at a time."""
        self._need_fit("translate")
        if source is None:
            raise OptionError("predict: expected a file of sources, or - for standard input, got none.")
        sources = read_sources(source, self.source_column, self.encoding or None)
        writer = self._writer(self._fitted)
        while some := list(islice(sources, TOGETHER)):
            for text, answer in zip(some, self._translated(some, writer), strict=True):
                yield {"source": text, "translation": answer}

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write the translation alone: line n of what is written belongs to line n of what was read."""
        text = str(row["translation"])
        return text.replace("[", "\\[") if colour else text

    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say how many answers are exact."""
        said = [f"{100 * figures['exact_match']:.2f} % exact"]
        if "bleu" in figures:
            order = f"-{figures['bleu_order']:.0f}" if "bleu_order" in figures else ""
            said.append(f"BLEU{order} {figures['bleu']:.1f}")
        if "loss" in figures:
            said.append(f"{figures['loss']:.4f} nats")
        return ", ".join(said)

    def _network(self, cells: Sequence[Cell], schema: PairSchema) -> EncoderDecoder:
        return build_network(self, cells, len(schema.source), len(schema.target))

    def _trained(self, fitted: Fitted, prepared: PreparedPairs) -> TranslationTask:
        return TranslationTask(
            _network_of(fitted),
            fitted.parameters,
            fitted.schema,
            prepared.train,
            prepared.validation,
            prepared.test,
            batch_size=prepared.batch_size,
            seed=self.seed,
            writer=lambda: self._writer(fitted),
            loss=SymbolLoss.of_options(self, len(fitted.schema.target), prepared.target_counts),
            scheduled_sampling=self.scheduled_sampling,
        )

    def _baseline(self, fitted: Fitted, prepared: PreparedPairs, test: Mapping[str, float]) -> dict[str, Any]:
        return baseline_figures(prepared.train, prepared.test, test.get("exact_match"))

    def _adopt(self, fitted: Fitted, description: Any, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.source_vocabulary_, self.target_vocabulary_ = fitted.schema.source, fitted.schema.target

    def _writer(self, fitted: Fitted) -> Writer:
        schema: PairSchema = fitted.schema
        return Writer(
            _network_of(fitted),
            begin=schema.end,
            end=schema.end,
            banned=(schema.target.unknown_id,),
            limit=self.max_length or 2 * schema.longest,
            beam=self.beam_size,
            penalty=self.length_penalty,
        )

    def _translated(self, sources: Sequence[str], writer: Writer) -> list[str]:
        schema: PairSchema = self._fitted.schema
        full = [place for place, source in enumerate(sources) if source.strip()]
        nothing = np.array([schema.end])
        examples = [
            Example(sources[place], "", source_ids(sources[place], schema, f"source {place}"), nothing)
            for place in full
        ]
        answers = [""] * len(sources)
        for place, answer in zip(full, translations(writer, examples, schema), strict=True):
            answers[place] = answer
        return answers

    def _examples(self, data: Any, y: Any) -> list[Example]:
        self._need_fit("be measured")
        if isinstance(data, PreparedPairs):
            return data.test
        columns = {"source_column": self.source_column, "target_column": self.target_column}
        pairs = list(open_pairs(data, y, **columns, encoding=self.encoding))
        if not pairs:
            raise DataError("expected at least one pair to be measured on, got none.")
        return encoded(pairs, self._fitted.schema)


def _network_of(fitted: Fitted) -> EncoderDecoder:
    assert isinstance(fitted.network, EncoderDecoder)
    return fitted.network
