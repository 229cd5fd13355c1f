import pytest

from noria.engines import fused


@pytest.fixture(params=["native", "numpy"])
def either_engine(request, monkeypatch):
    """Run the test in machine code, where that can be had, and in NumPy."""
    if request.param == "numpy":
        monkeypatch.setattr(fused, "is_native", lambda dtype: False)
