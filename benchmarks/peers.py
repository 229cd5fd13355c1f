"""Columns of the tables by name, and what has to be installed for each."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from sides import Side, Subject

COLUMNS: dict[str, tuple[str, str]] = {
    "nn module": ("torch_peers", "module"),
    "nn packed": ("torch_peers", "packed"),
    "torch loop": ("torch_peers", "loop"),
    "compiled": ("torch_peers", "compiled"),
    "JAX scan": ("jax_peers", "scan"),
    "torch infer": ("torch_peers", "inference"),
    "ORT": ("onnx_peers", "inference"),
    "LSTMCell": ("torch_peers", "single_step"),
    "ORT step": ("onnx_peers", "single_step"),
    "plain": ("sides", "plain"),
    "drawing": ("sides", "drawing"),
    "dense": ("sides", "dense"),
    "float32": ("sides", "single_precision"),
    "multiply-adds": ("sides", "multiply_adds"),
}
"""A column to the module and the function that makes its side; those of ``sides`` are ours."""

NEEDS = {"torch_peers": ("torch",), "jax_peers": ("jax",), "onnx_peers": ("onnx", "onnxruntime"), "sides": ()}


def missing(column: str) -> tuple[str, ...]:
    """Name the packages that a column needs and that are not installed."""
    return tuple(package for package in NEEDS[COLUMNS[column][0]] if find_spec(package) is None)


def side_of(column: str, subject: Subject) -> Side | str:
    """Make a side, or say why there is none."""
    if lacking := missing(column):
        return f"{' and '.join(lacking)} not installed"
    module, function = COLUMNS[column]
    make: Callable[[Subject], Side | str] = getattr(import_module(module), function)
    return make(subject)
