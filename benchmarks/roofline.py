"""What the machine can do at most, probed in the same run, and what a layer asks of it."""

import ctypes
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.compiler import Program
from noria.compiler.graph import Block

CHAINS = 24
"""Independent multiply-adds in flight: more than any processor needs to hide their latency."""

FOOTPRINTS = (1 << 18, 1 << 21, 1 << 23, 1 << 27)
"""Bytes between which copying is measured: a cache is faster than memory."""

COPIED = 1 << 26
ROUNDS = 25


@dataclass(frozen=True)
class Limits:
    """What the machine can do.

    Attributes
    ----------
    peak : float
        Rate of multiply-adds in float32, GF/s.
    found_by : str
        How the peak was found.
    copy : dict of int to float
        Bytes in use to the rate of copying among them, read and written, GB/s.
    """

    peak: float
    found_by: str
    copy: dict[int, float]

    def peak_of(self, dtype: "np.dtype[Any]") -> float:
        """Give the peak in a precision: of longer numbers fewer fit into a register."""
        return self.peak * 4 / dtype.itemsize

    def ms(self, operations: float, size: float, dtype: "np.dtype[Any]") -> float:
        """Give the time that so many operations take at the peak, or so many bytes at the rate of copying."""
        rate = next((rate for footprint, rate in self.copy.items() if footprint >= size), 0.0)
        rate = rate or self.copy[FOOTPRINTS[-1]]
        return max(operations / self.peak_of(dtype), size / rate) / 1e6

    def __str__(self) -> str:
        copies = ", ".join(f"{rate:.0f} GB/s in {size >> 10} KB" for size, rate in self.copy.items())
        return f"multiply-adds {self.peak:.0f} GF/s ({self.found_by}); copying {copies}"


def probe(threads: int) -> Limits:
    """Measure the limits with so many threads."""
    with ThreadPoolExecutor(threads) as pool:
        copy = {
            size: threads * _best_rate(_copying(pool, threads, size)) * 2 * COPIED / 1e9
            for size in FOOTPRINTS
        }
        if find_spec("llvmlite") is None:
            a, b = np.ones((2, 1024, 1024), np.float32)
            rate = 2 * 1024**3 * _best_rate(lambda: np.matmul(a, b))
            return Limits(rate / 1e9, "matrix product, llvmlite is not installed", copy)
        chains, operations = multiply_add_chains(steps := 1_000_000)
        rate = operations * threads * _best_rate(lambda: list(pool.map(chains, [steps] * threads)))
        return Limits(rate / 1e9, "chains of multiply-adds", copy)


def _copying(pool: ThreadPoolExecutor, threads: int, footprint: int) -> Callable[[], object]:
    """Give a function that copies ``COPIED`` bytes in each thread, again and again the same few."""
    target = np.zeros((threads, footprint // 2), np.uint8)
    source = np.ones_like(target)

    def copies(to: Array, of: Array) -> None:
        for _ in range(COPIED // to.size):
            np.copyto(to, of)

    return lambda: list(pool.map(copies, target, source))


def _best_rate(work: Callable[[], object]) -> float:
    """Give how often a second something can be done, at best."""
    work()
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        best = max(best, 1 / (time.perf_counter() - start))
    return best


def multiply_add_chains(steps: int) -> tuple[Callable[[int], None], float]:
    """Write a function that does nothing but multiply-adds; give it, and the operations of so many steps."""
    from llvmlite import ir

    from noria.engines.native.code import INDEX, POINTER, Code, Numbers
    from noria.engines.native.host import compile_module

    numbers = Numbers(np.dtype(np.float32))
    count = min(CHAINS, numbers.registers - 4)
    module = ir.Module("probe")
    code = Code(module, numbers, "chains", [("place", POINTER), ("steps", INDEX)])
    place = code.given["place"]
    factor, term = code.spread_at(place, 0), code.spread_at(place, 1)

    def step(k: Any, carried: list[Any]) -> list[Any]:
        return [code.fma(value, factor, term) for value in carried]

    ends = code.loop(code.given["steps"], step, [code.load(place, k * numbers.lanes) for k in range(count)])
    for k, end in enumerate(ends):
        code.store(end, place, k * numbers.lanes)
    code.done()
    function = compile_module(module).function("chains", (ctypes.c_void_p, ctypes.c_int64))

    def chains(wanted: int) -> None:
        values = np.full(count * numbers.lanes, 0.5, np.float32)
        function(values.ctypes.data, wanted)

    return chains, 2.0 * count * numbers.lanes * steps


def product_operations(program: Program, sizes: Mapping[str, int], *, backward: bool) -> int:
    """Count the multiply-adds of all products of one step of one sequence, each as two operations."""

    def size(blocks: object) -> int:
        several = blocks if isinstance(blocks, tuple) else (blocks,)
        return sum(2 * sizes[b.rows] * sizes[b.column] for b in several if isinstance(b, Block))

    passes = (program.training, program.backward) if backward else (program.inference,)
    nodes = [node for one in passes for node in one.nodes() if node.op in ("product", "product_t")]
    total = sum(size(node.attribute) for node in nodes)
    return total + (sum(size(group.blocks) for group in program.weight_gradients) if backward else 0)


def compulsory_bytes(parameters: Array, x: Array, y: Array, *, backward: bool) -> int:
    """Count what has to be read and written once: parameters, input and output, and their gradients."""
    return (2 if backward else 1) * (parameters.nbytes + x.nbytes + y.nbytes)
