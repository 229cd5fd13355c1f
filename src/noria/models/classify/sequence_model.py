"""What classifier and regressor share: everything but what is told of a sequence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from noria.arrays import Array, Float
from noria.data.augmentation import Augmentation
from noria.data.records import Record
from noria.equations import Cell
from noria.layers import Embedding, Stack
from noria.models.classify.answering import SequenceAnswers
from noria.models.classify.baseline import baseline_figures
from noria.models.classify.network import INPUT, build_network
from noria.models.classify.preparing import PreparedSequences, examples_of, prepare
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import Targets
from noria.models.classify.task import Example, SequenceTask
from noria.models.description import Description
from noria.models.model import Fitted, Run, opened
from noria.models.stored import StoredModel
from noria.models.text.comparing import thesaurus_of
from noria.training.randomness import generator
from noria.training.report import Listener, silent


class SequenceModel(SequenceAnswers):
    """Reads a sequence from end to end and gives one answer.

    steps -> embedding -> recurrent layers (or convolutions) -> pooling -> linear
    """

    schema_class: ClassVar[type[SequenceSchema]] = SequenceSchema
    targets_class: ClassVar[type[Targets]]

    def prepare(self, data: Any, y: Any = None, *, resuming: bool = False) -> PreparedSequences:
        """Read data and deal them out without training; ``fit`` takes the result in place of the data.

        Parameters
        ----------
        data, y
            As for :meth:`fit`.
        resuming : bool, default False
            Whether a run is gone on with, so that no vectors have to be read.
        """
        self.validate()
        kind = self.targets_class
        return prepare(data, y, self, kind, resampling=self._resampling, resuming=resuming)

    def fit(
        self,
        data: Any,
        y: Any = None,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        out: Run | None = None,
        resume: Run | None = None,
        init_from: Run | None = None,
        listener: Listener = silent,
    ) -> Self:
        """Train on sequences and what is to be told of each.

        Parameters
        ----------
        data : path, several paths, data frame, sequences, BuiltinParts, or PreparedSequences
            A table with texts and labels (csv, tsv, jsonl, parquet), a long table of numbers, a ``.ts`` file,
            a folder of recordings for each class. In memory: a list of strings, of arrays (T, C) or (T,), or
            of lists of symbols.
        y : sequence, optional
            The label or number of each sequence in memory.
        minutes, epochs, steps : number, optional
            The budget, one of the three; without one it is two minutes.
        out : path or RunFolder, optional
            The run folder to write. Left out, nothing is written.
        resume : path or RunFolder, optional
            The run folder to go on with, in place of `out`; see :meth:`resume`.
        init_from : path or RunFolder, optional
            A run whose best weights this one begins with. Cell, sizes, symbols and labels are the same there.
        listener : callable
            Gets the events of training.

        Returns
        -------
        self
            With the weights that did best on the validation part.

        Raises
        ------
        OptionError
            If an option is outside its range, or two contradict each other.
        DataError
            If the data cannot be read, or hold too little to be trained on.
        DivergenceError
            If training diverges; says where, and what to try.
        RunError
            If the run folder is there already, or cannot be written.
        """
        budget = self._check_fit(
            minutes=minutes, epochs=epochs, steps=steps, out=out, resume=resume, init_from=init_from
        )
        if isinstance(data, PreparedSequences):
            prepared = data
        else:
            prepared = self.prepare(data, y, resuming=resume is not None)
        self._train(prepared, budget=budget, out=out, resume=resume, init_from=init_from, listener=listener)
        self._report_details(prepared, resume if out is None else out)
        return self

    def _report_details(self, prepared: PreparedSequences, run: Run | None) -> None:
        """Add to the report what more there is to say of the test part."""
        details = self._details(prepared) if self.report_["steps"] and prepared.test.examples else {}
        self.report_ |= details
        if details and run is not None:
            opened(run).update_report(self.report_)

    # What differs between labels and numbers.

    def _details(self, prepared: PreparedSequences) -> dict[str, Any]:
        """Give what more there is to say of the test part."""
        return {}

    @property
    def _resampling(self) -> str:
        return "none"

    def _class_weights(self, prepared: PreparedSequences) -> Float[Array, " C"] | None:
        return None

    # What every model fills in.

    def _network(self, cells: Sequence[Cell], schema: SequenceSchema) -> Stack:
        return build_network(self, cells, schema)

    def _trained(self, fitted: Fitted, prepared: PreparedSequences) -> SequenceTask:
        assert isinstance(fitted.network, Stack)
        return SequenceTask(
            self.task,
            fitted.network,
            fitted.parameters,
            prepared.schema.targets,
            prepared.train.examples,
            prepared.validation.examples,
            prepared.test.examples,
            batch_size=prepared.batch_size,
            seed=self.seed,
            label_smoothing=self.label_smoothing,
            class_weights=self._class_weights(prepared),
            resampling=self._resampling,
            augmented=self._augmented(prepared),
        )

    def _augmented(self, prepared: PreparedSequences) -> Callable[[int], Sequence[Example]] | None:
        """Give the training examples of an epoch, changed anew; None: they are always the same."""
        augmentation = Augmentation.of_options(self)
        if augmentation is None:
            return None
        schema, records, seed = prepared.schema, prepared.train.records, self.seed

        def of_epoch(epoch: int) -> list[Example]:
            rng = generator(seed, "augmentation", epoch)
            changed = [augmentation(record.sequence, rng) for record in records]
            return examples_of(
                (
                    Record(
                        text if text.strip() else record.sequence, record.target, record.place, record.extras
                    )
                    for text, record in zip(changed, records, strict=True)
                ),
                schema,
            )

        return of_epoch

    def _about(self, prepared: PreparedSequences) -> dict[str, Any]:
        thesaurus = thesaurus_of(Augmentation.of_options(self))
        return super()._about(prepared) | ({} if thesaurus is None else {"thesaurus": thesaurus})

    def _data_differences(
        self, stored: StoredModel, schema: SequenceSchema, prepared: PreparedSequences
    ) -> list[str]:
        found = super()._data_differences(stored, schema, prepared)
        if stored.about.get("thesaurus") != thesaurus_of(Augmentation.of_options(self)):
            found.append("thesaurus: the synonyms are not those of the run")
        return found

    def _initialise(self, fitted: Fitted, prepared: PreparedSequences) -> None:
        if prepared.vectors is not None:
            first = dict(fitted.network.children())[INPUT]
            assert isinstance(first, Embedding)  # the options say so
            first.table.value[...] = prepared.vectors.matrix

    def _baseline(
        self, fitted: Fitted, prepared: PreparedSequences, test: Mapping[str, float]
    ) -> dict[str, Any]:
        figures = baseline_figures(prepared)
        key = self.metric.key
        if figures and key in test:
            better = test[key] >= figures[key] if self._higher_is_better else test[key] <= figures[key]
            figures["beaten"] = bool(better)
        return figures

    _higher_is_better: ClassVar[bool]

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.schema_ = fitted.schema
        self.__dict__.pop("_stream", None)
