"""Every elementwise function of the native engine against NumPy: errors in ulp, special values, NaN."""

import ctypes
import dataclasses
import inspect
from functools import cache, partial

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from llvmlite import ir

from noria.engines.native.code import INDEX, POINTER, Code, Numbers
from noria.engines.native.functions import OPERATIONS, power
from noria.engines.native.host import compile_module, host
from noria.engines.reference import operations as reference

EXPONENTS = (-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 7.0, 0.3, -1.7, 33.0, -12.0, 1e12, -1e30)
INF, NAN = np.inf, np.nan
HOSTS = (host().vector_bytes, 32, 16)
PLACES = [(dtype, size) for dtype in (np.float32, np.float64) for size in dict.fromkeys(HOSTS)]
every_place = pytest.mark.parametrize(("dtype", "vector_bytes"), PLACES)


def arity(name):
    return len(inspect.signature(OPERATIONS[name]).parameters) - 1


@cache
def kernels(dtype, vector_bytes):
    """Compile a loop over vectors for each function."""
    here = host()
    if vector_bytes != here.vector_bytes:
        here = dataclasses.replace(here, vector_bytes=vector_bytes, registers=16)
    numbers, module = Numbers(np.dtype(dtype), here), ir.Module("functions")
    emitters = {name: (emit, arity(name)) for name, emit in OPERATIONS.items()}
    emitters |= {f"power{e}": (partial(power, exponent=e), 1) for e in EXPONENTS}
    for name, (emit, count) in emitters.items():
        code = Code(
            module, numbers, name, [("a", POINTER), ("b", POINTER), ("out", POINTER), ("stop", INDEX)]
        )
        a, b, out, stop = code.given.values()
        with code.each(stop, step=numbers.lanes) as k:
            code.store(emit(code, *[code.load(source, k) for source in (a, b)[:count]]), out, k)
        code.done()
    library = compile_module(module)
    kinds = [ctypes.c_void_p] * 3 + [ctypes.c_int64]
    return numbers, {name: library.function(name, kinds) for name in emitters}


def compute(name, place, a, b=None):
    numbers, functions = kernels(*place)
    a = np.atleast_1d(np.asarray(a, numbers.dtype))
    width = numbers.padded(a.size)
    arrays = np.zeros((3, width), numbers.dtype)
    arrays[0, : a.size] = a
    arrays[1, : a.size] = 0 if b is None else b
    functions[name](*[row.ctypes.data for row in arrays], width)
    return arrays[2, : a.size].copy()


def expected(operation, *arguments):
    out = np.empty_like(arguments[0])
    with np.errstate(all="ignore"):
        operation(*arguments, out)
    return out


def ulps(got, exact):
    """Distance from an exact result of higher precision, in units of the last place of a result so large."""
    info = np.finfo(got.dtype)
    _, exponent = np.frexp(exact)
    unit = np.ldexp(np.longdouble(1), np.maximum(exponent - 1, info.minexp) - info.nmant)
    return np.abs(got.astype(np.longdouble) - exact) / unit


def exact_sigmoid(a):
    return np.where(a > 0, 1 / (1 + np.exp(-np.abs(a))), np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a))))


def exact_softplus(a):
    return np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a)))


# Function, exact twin, greatest error in ulp, and ranges: (low, high) by float32, (low, high) by float64.
ACCURACY = [
    ("exp", np.exp, 0.95, (-87.33, 88.72), (-708.39, 709.78)),
    ("exp", np.exp, 0.95, (-103.9, -87.34), (-745.1, -708.4)),
    ("exp", np.exp, 0.75, (-0.3, 0.3), (-0.3, 0.3)),
    ("sigmoid", exact_sigmoid, 1.7, (-17.0, 20.0), (-38.0, 40.0)),
    ("sigmoid", exact_sigmoid, 1.7, (-87.33, -17.0), (-708.39, -38.0)),
    ("tanh", np.tanh, 0.85, (-0.625, 0.625), (-0.625, 0.625)),
    ("tanh", np.tanh, 1.35, (-12.0, -0.625), (-22.0, -0.625)),
    ("tanh", np.tanh, 1.35, (0.625, 12.0), (0.625, 22.0)),
    ("log", np.log, 1.25, (0.5, 2.0), (0.5, 2.0)),
    ("softplus", exact_softplus, 1.75, (-87.0, 30.0), (-708.0, 50.0)),
    ("softplus", exact_softplus, 1.75, (-2.0, 2.0), (-2.0, 2.0)),
    ("sin", np.sin, 2.1, (-1e5, 1e5), (-1e5, 1e5)),
    ("cos", np.cos, 2.1, (-1e5, 1e5), (-1e5, 1e5)),
]


@every_place
@pytest.mark.parametrize(("name", "exact", "limit", "single", "double"), ACCURACY)
def test_error_in_ulp(name, exact, limit, single, double, dtype, vector_bytes):
    low, high = single if dtype is np.float32 else double
    a = np.random.default_rng(5).uniform(low, high, 20_011).astype(dtype)
    error = ulps(compute(name, (dtype, vector_bytes), a), exact(a.astype(np.longdouble)))
    assert error.max() <= limit


@every_place
def test_every_binade_of_the_logarithm_and_its_like(dtype, vector_bytes):
    place, info = (dtype, vector_bytes), np.finfo(dtype)
    a = np.ldexp(
        np.random.default_rng(3).uniform(1, 2, 20_011),
        np.random.default_rng(4).integers(info.minexp - info.nmant, info.maxexp, 20_011),
    ).astype(dtype)
    assert ulps(compute("log", place, a), np.log(a.astype(np.longdouble))).max() <= 1.1
    tiny = np.concatenate([a[a < 1e-3], -a[a < 1e-3]])
    for name, exact in (("tanh", np.tanh), ("sin", np.sin), ("exp", np.exp), ("sigmoid", exact_sigmoid)):
        assert ulps(compute(name, place, tiny), exact(tiny.astype(np.longdouble))).max() <= 0.8, name


@every_place
def test_reduction_of_large_angles_near_the_zeros(dtype, vector_bytes):
    place = (dtype, vector_bytes)
    if dtype is np.float32:
        near = (np.arange(1, 60_000, 7) * np.pi / 2).astype(dtype)
        sine, cosine = np.sin(near.astype(np.float64)), np.cos(near.astype(np.float64))
    else:  # the numbers next to n pi; their sines are the digits of pi that follow
        near = np.pi * np.array([1.0, 2, 16, 2.0**27])
        sine = np.array([1, -2, -16, -(2.0**27)]) * np.longdouble("1.2246467991473531772e-16")
        cosine = np.array([-1.0, 1, 1, 1], np.longdouble)
    assert ulps(compute("sin", place, near), sine).max() <= 2.1
    assert ulps(compute("cos", place, near), cosine).max() <= 2.1


@every_place
def test_double_closest_to_a_multiple_of_pi(dtype, vector_bytes):
    if dtype is np.float64:
        # 9206271 pi is this number but for 3.4e-18: the remainder lives in the third part of pi.
        sine = compute("sin", (dtype, vector_bytes), np.ldexp(7763785107565477.0, -28))
        assert ulps(sine, np.longdouble("3.397007659797200758924e-18")).max() <= 1
    else:  # the neighbours of 29 pi
        near = np.nextafter(np.float32(29 * np.pi), np.array([0, 200], dtype))
        sine = compute("sin", (dtype, vector_bytes), near)
        assert ulps(sine, np.sin(near.astype(np.longdouble))).max() <= 1


SPECIAL = {
    "exp": [(0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (1e4, INF), (-1e4, 0), (NAN, NAN)],
    "sigmoid": [(0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0), (1e4, 1), (-1e4, 0), (50, 1), (NAN, NAN)],
    "tanh": [(0, 0), (-0.0, -0.0), (INF, 1), (-INF, -1), (30, 1), (-30, -1), (1e-30, 1e-30), (NAN, NAN)],
    "log": [(0, -INF), (-0.0, -INF), (1, 0), (INF, INF), (-INF, NAN), (-1, NAN), (-1e-40, NAN), (NAN, NAN)],
    "softplus": [(INF, INF), (-INF, 0), (1e4, 1e4), (1e30, 1e30), (-1e4, 0), (NAN, NAN)],
    "sin": [(0, 0), (INF, NAN), (-INF, NAN), (1e-30, 1e-30), (NAN, NAN)],
    "cos": [(0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "relu": [(0, 0), (INF, INF), (-INF, 0), (-3, 0), (3, 3), (NAN, NAN)],
    "sqrt": [(0, 0), (4, 2), (INF, INF), (-1, NAN), (NAN, NAN)],
    "rsqrt": [(0, INF), (4, 0.5), (INF, 0), (-1, NAN), (NAN, NAN)],
    "sign": [(0, 0), (-0.0, 0), (INF, 1), (-INF, -1), (1e-40, 1), (-2, -1), (NAN, NAN)],
    "positive": [(0, 0), (-0.0, 0), (INF, 1), (-INF, 0), (1e-40, 1), (NAN, 0)],
    "abs": [(0, 0), (-INF, INF), (-2.5, 2.5), (NAN, NAN)],
}


@every_place
@pytest.mark.parametrize("name", SPECIAL)
def test_special_values(name, dtype, vector_bytes):
    a, values = np.array(SPECIAL[name]).T.astype(dtype)
    got = compute(name, (dtype, vector_bytes), a)
    np.testing.assert_array_equal(got, values)
    if name == "tanh":
        np.testing.assert_array_equal(np.signbit(got[:-1]), np.signbit(values[:-1]))


@every_place
@pytest.mark.parametrize(
    "name", ["exp", "sigmoid", "tanh", "log", "softplus", "sin", "cos", "power0.3", "power33.0"]
)
def test_nan_with_any_payload_passes_on(name, dtype, vector_bytes):
    whole = np.uint32 if dtype is np.float32 else np.uint64
    shift = np.finfo(dtype).nmant
    payloads = np.random.default_rng(2).integers(1, 2**shift, 301, dtype=whole)
    top = whole(np.finfo(dtype).maxexp * 2 - 1) << whole(shift)
    signs = whole(1) << whole(8 * np.dtype(dtype).itemsize - 1)
    bits = top | payloads | (np.arange(301, dtype=whole) % whole(2)) * signs
    assert np.isnan(compute(name, (dtype, vector_bytes), bits.view(dtype))).all()


def test_table_holds_what_the_reference_holds():
    assert set(OPERATIONS) == set(reference.OPERATIONS) - {"sum", "spread"}


def arguments(dtype, count):
    """Make random numbers of many sizes, and every pair of special ones."""
    special = np.array([0, -0.0, 1, -1, 0.5, 1e-30, -3, 3, 17.5, -90, INF, -INF, NAN], dtype)
    grid = [x.ravel() for x in np.meshgrid(special, special)]
    random = np.random.default_rng(7)
    return [
        np.concatenate(
            [g, random.normal(0, 4, 203).astype(dtype), random.uniform(-0.9, 1.1, 96).astype(dtype)]
        )
        for g in grid[:count]
    ]


@every_place
@pytest.mark.parametrize("name", OPERATIONS)
def test_agrees_with_the_reference(name, dtype, vector_bytes):
    given = arguments(dtype, arity(name))
    want = expected(reference.OPERATIONS[name], *given)
    tolerance = 8 * np.finfo(dtype).eps
    # The reference rounds a large exp(-a) before it adds 1, and overflows where the sigmoid is not quite 0.
    np.testing.assert_allclose(
        compute(name, (dtype, vector_bytes), *given), want, rtol=tolerance, atol=np.finfo(dtype).tiny
    )


@every_place
@pytest.mark.parametrize("name", ["max", "min", "not_less", "not_greater"])
def test_choices_are_the_very_bits(name, dtype, vector_bytes):
    a, b = arguments(dtype, 2)
    want = expected(reference.OPERATIONS[name], a, b)
    got = compute(name, (dtype, vector_bytes), a, b)
    np.testing.assert_array_equal(got, want)
    kept = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[kept]), np.signbit(want[kept]))


@every_place
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers(exponent, dtype, vector_bytes):
    special = [0, 1, -1, 2, -2, 0.5, INF, -INF, 1 + 1e-6, -1 - 1e-6, NAN]
    if exponent in (0.5, -0.5, 1.5):
        special.remove(-INF)  # a square root of -inf is NaN
    random = np.random.default_rng(11)
    a = np.concatenate([special, random.normal(0, 2, 303), np.exp(random.uniform(-80, 80, 404))]).astype(
        dtype
    )
    want = expected(reference.power(exponent), a)
    got = compute(f"power{exponent}", (dtype, vector_bytes), a)
    info = np.finfo(dtype)
    np.testing.assert_allclose(got, want, rtol=8 * info.eps, atol=2 * info.tiny)


@every_place
def test_general_power_in_ulp(dtype, vector_bytes):
    spread = 80.0 if dtype is np.float32 else 300.0
    for exponent in (0.3, -1.7, 33.0):
        room = min(spread, spread / abs(exponent))
        a = np.exp(np.random.default_rng(13).uniform(-room, room, 20_011)).astype(dtype)
        exact = a.astype(np.longdouble) ** np.longdouble(dtype(exponent))
        assert ulps(compute(f"power{exponent}", (dtype, vector_bytes), a), exact).max() <= 1.5, exponent
