import numpy as np
import pytest

from noria.errors import OptionError
from noria.models import LanguageModel

sklearn_base = pytest.importorskip("sklearn.base")

WORDS = ["ana", "bruno", "carla", "dario", "elena", "fabio"] * 5
TINY = {"hidden_size": 4, "sample_length": 0, "batch_size": 4}


def test_parameters_are_read_and_set_by_name():
    model = LanguageModel(cell="lstm", dropout=0.2)
    params = model.get_params()
    assert params["cell"] == "lstm"
    assert params["dropout"] == 0.2
    assert model.set_params(dropout=0.3, hidden_size=[8, 4]) is model
    assert model.get_params()["hidden_size"] == [8, 4]
    with pytest.raises(
        OptionError, match=r"LanguageModel has no option 'hiden_size'\. Did you mean 'hidden_size'\?"
    ):
        model.set_params(hiden_size=3)


def test_the_repr_shows_what_is_not_default():
    assert repr(LanguageModel()) == "LanguageModel()"
    assert repr(LanguageModel(cell="gru", num_layers=2)) == "LanguageModel(cell='gru', num_layers=2)"


def test_a_clone_has_the_options_and_no_weights():
    model = LanguageModel(cell=["gru", "rnn"], **{**TINY, "hidden_size": [4, 3]}).fit(WORDS, steps=1)
    copy = sklearn_base.clone(model)
    assert copy.get_params() == model.get_params()
    assert copy.hidden_size is not model.hidden_size
    assert not hasattr(copy, "parameters_")
    assert copy != model


def test_scikit_learn_searches_over_options():
    from sklearn.exceptions import NotFittedError
    from sklearn.model_selection import GridSearchCV
    from sklearn.utils.validation import check_is_fitted

    search = GridSearchCV(LanguageModel(**TINY), {"cell": ["rnn", "gru"], "lr": [0.01]}, cv=3)
    search.fit(WORDS, steps=2)
    assert set(search.best_params_) == {"cell", "lr"}
    scores = search.cv_results_["mean_test_score"]
    assert (scores < 0).all()
    assert np.argmax(scores) == search.best_index_
    check_is_fitted(search.best_estimator_)
    with pytest.raises(NotFittedError):
        check_is_fitted(LanguageModel())
