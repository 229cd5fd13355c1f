"""The manners of a scikit-learn estimator, without loading scikit-learn: parameters, copies, tags, repr."""

import dataclasses
from typing import Any, Self

from noria.errors import NotFittedError, OptionError
from noria.training.options import options_of, unknown_option


class Estimator:
    """A base for models whose options are dataclass fields.

    ``sklearn.base.clone`` and ``GridSearchCV`` take such a model as one of their own. As with theirs, nothing
    is checked when a model is made: options are checked when it is fitted.
    """

    __eq__ = object.__eq__  # two models are the same only if they are one
    __hash__ = object.__hash__

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the options by name; `deep` is there for scikit-learn's sake, no option is a model itself."""
        return {declared.name: getattr(self, declared.name) for declared in self._options()}

    def set_params(self, **params: object) -> Self:
        """Set options by name; the fitted weights, if there are any, stay as they are until the next fit.

        Raises
        ------
        OptionError
            If there is no option of that name: names the nearest one.
        """
        known = {declared.name for declared in self._options()}
        for name, value in params.items():
            if name not in known:
                raise OptionError(unknown_option(type(self), name))
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {info.name: info.default for info in options_of(type(self))}
        changed = {
            name: value for name, value in self.get_params().items() if not _same(value, defaults.get(name))
        }
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def __sklearn_is_fitted__(self) -> bool:
        return self._is_fitted()

    def __sklearn_tags__(self) -> object:
        """Say to scikit-learn what this is: it takes texts and needs no y."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False, string=True),
            non_deterministic=False,
        )

    def _is_fitted(self) -> bool:
        """Whether there are weights; each model says how it knows."""
        return False

    def _need_fit(self, what: str) -> None:
        if not self._is_fitted():
            name = type(self).__name__
            raise NotFittedError(
                f"{name}: cannot {what}, it has no weights yet.\n  Call fit first, or load a run."
            )

    def _options(self) -> tuple[Any, ...]:
        return tuple(declared for declared in dataclasses.fields(self) if declared.init)  # type: ignore[arg-type]


def _same(value: object, default: object) -> bool:
    return type(value) is type(default) and value == default
