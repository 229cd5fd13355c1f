"""What classifier and regressor share: everything but what is told of a sequence."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, ClassVar

from noria.data.augmentation import LOOKED_AT, Augmentation
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
from noria.models.saving import Fitted
from noria.models.stored import StoredModel
from noria.models.text.comparing import thesaurus_of
from noria.training.randomness import generator


class SequenceModel(SequenceAnswers):
    """Reads a sequence from end to end and gives one answer.

    steps -> embedding -> recurrent layers (or convolutions) -> pooling -> linear
    """

    schema_class: ClassVar[type[SequenceSchema]] = SequenceSchema
    targets_class: ClassVar[type[Targets]]

    def prepare(self, data: Any, y: Any = None, *, resuming: bool = False) -> PreparedSequences:
        """Read sequences and deal them out without training; ``fit`` takes the result in place of the data.

        Parameters
        ----------
        data : path, several paths, data frame, sequences, or BuiltinParts
            A table with texts and labels (csv, tsv, jsonl, parquet), a long table of numbers, a ``.ts`` file,
            a folder of recordings for each class. In memory: a list of strings, of arrays (T, C) or (T,), or
            of lists of symbols.
        y : sequence, optional
            The label or number of each sequence in memory.
        resuming : bool, default False
            Whether a run is gone on with, so that no vectors have to be read.
        """
        self.validate()
        kind = self.targets_class
        prepared = prepare(data, y, self, kind, resampling=self._resampling, resuming=resuming)
        if augmentation := self._augmentation(prepared):
            records = prepared.train.records
            sizes = accumulate(len(record.sequence) for record in records)
            count = 1 + sum(size < LOOKED_AT for size in sizes)
            some = "\n".join(record.sequence for record in records[:count])
            prepared = prepared.noting(augmentation.described(some[:LOOKED_AT]))
        return prepared

    # What differs between labels and numbers.

    @property
    def _resampling(self) -> str:
        return "none"

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
            terms=self._terms(prepared),
            resampling=self._resampling,
            augmented=self._augmented(prepared),
            batching=self.batching,
        )

    def _augmentation(self, prepared: PreparedSequences) -> Augmentation | None:
        return Augmentation.of_options(self, partial(prepared.schema.inputs.encode, place="thesaurus"))

    def _augmented(self, prepared: PreparedSequences) -> Callable[[int], Sequence[Example]] | None:
        """Give the training examples of an epoch, changed anew; None: they are always the same."""
        augmentation = self._augmentation(prepared)
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
        figures = baseline_figures(prepared, self._terms())
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
