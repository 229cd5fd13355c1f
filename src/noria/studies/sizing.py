"""Equal numbers of parameters: the hidden size of each variant that comes nearest to the first one's."""

from typing import Any

from noria.errors import OptionError
from noria.models.loading import model_class
from noria.models.wiring import chosen_cells
from noria.studies.data import prepared_of
from noria.studies.design import WHO, Study, Variant
from noria.training.options import Budget

WIDEST = 1 << 14


def equal_sizes(study: Study) -> tuple[Variant, ...]:
    """Give the variants with hidden sizes such that all have as many parameters as the first, about.

    All layers of a variant get the same size.

    Raises
    ------
    OptionError
        If hidden sizes are what is compared, or a variant has more parameters than the first however narrow
        it is.
    """
    first, *others = study.variants
    sizes = {str(variant.options.get("hidden_size")) for variant in study.variants}
    if len(sizes) > 1:
        raise OptionError(
            f"{WHO}: hidden sizes cannot be compared where they are chosen so that all variants have as many "
            "parameters. Got hidden_size among the options of variants.\n"
            "  Leave --equal-parameters out, or hidden_size out of the grid."
        )
    target = parameters_of(study, first)
    return (first, *(_fitted(study, variant, target) for variant in others))


def parameters_of(study: Study, variant: Variant) -> int:
    """Count the parameters of a variant, on the data of the first seed."""
    model = model_class(study.task)(**study.options_of(variant, study.seeds[0]))
    prepared = model.settled(prepared_of(study, model), Budget.from_toml_dict(study.budget))
    return int(prepared.description.model.parameters)


def _counted(model: Any, schema: Any) -> int:
    network = model._network(chosen_cells(model), schema)
    return sum(parameter.size for parameter in network.parameters())


def _fitted(study: Study, variant: Variant, target: int) -> Variant:
    model = model_class(study.task)(**study.options_of(variant, study.seeds[0]))
    schema = prepared_of(study, model).schema

    def count(size: int) -> int:
        model.hidden_size = size
        return _counted(model, schema)

    if count(1) > target:
        raise OptionError(
            f"variant {variant.name!r}: has {count(1):,} parameters with a hidden size of 1, and the first "
            f"variant has {target:,}. Leave --equal-parameters out, or give the first a larger hidden_size."
        )
    low, high = 1, 2
    while count(high) <= target and high < WIDEST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= target else (low, middle)
    best = min((low, high), key=lambda size: abs(count(size) - target))
    return Variant(variant.name, {**variant.options, "hidden_size": best})
