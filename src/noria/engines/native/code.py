"""Writing vector code: a thin hand over llvmlite's builder, for one precision on one processor."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from llvmlite import ir

from noria.engines.native.host import Host, host

INDEX = ir.IntType(64)
POINTER = ir.PointerType()
VOID = ir.VoidType()
CONTRACT = ("contract",)
"""The only liberty that arithmetic gets: a product and a sum may be one fused operation. NaN stays NaN."""


class Numbers:
    """The numbers of one precision, alone and in vectors as wide as the processor's registers.

    Attributes
    ----------
    dtype : numpy.dtype
    size : int
        Bytes of one number.
    lanes : int
        Numbers in a vector.
    registers : int
        Vector registers of the processor.
    real, vector, whole, wholes, truth : llvmlite types
        A number, a vector of them, an integer as wide as a number, a vector of these, a vector of bits.
    """

    def __init__(self, dtype: np.dtype, here: Host | None = None) -> None:
        here = here or host()
        self.dtype = np.dtype(dtype)
        self.size = self.dtype.itemsize
        self.lanes = here.vector_bytes // self.size
        self.registers = here.registers
        self.real: ir.Type = ir.FloatType() if self.size == 4 else ir.DoubleType()
        self.vector = ir.VectorType(self.real, self.lanes)
        self.whole = ir.IntType(8 * self.size)
        self.wholes = ir.VectorType(self.whole, self.lanes)
        self.truth = ir.VectorType(ir.IntType(1), self.lanes)
        self.suffix = f"v{self.lanes}f{8 * self.size}"

    def padded(self, width: int) -> int:
        """Give the least whole number of vectors that holds ``width``, in numbers."""
        return -(-width // self.lanes) * self.lanes


class Code:
    """Writes one function into a module.

    Arguments are attributes of ``given``: ``code.given["rows"]``. Offsets and counts are in numbers of the
    precision, never in bytes; integers stand for 64-bit constants.
    """

    def __init__(
        self,
        module: ir.Module,
        numbers: Numbers,
        name: str,
        arguments: Sequence[tuple[str, ir.Type]],
        *,
        result: ir.Type = VOID,
        internal: bool = False,
    ) -> None:
        self.module, self.numbers = module, numbers
        self.function = ir.Function(module, ir.FunctionType(result, [kind for _, kind in arguments]), name)
        if internal:
            self.function.linkage = "internal"
        # vectors that do not fit the registers are kept on the stack, and must not cross cache lines there
        self.function.attributes.alignstack = numbers.lanes * numbers.size
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.given: dict[str, ir.Value] = {}
        for (argument, _), value in zip(arguments, self.function.args, strict=True):
            value.name = argument
            self.given[argument] = value

    # Constants
    # ----------------------------------------------------------------------------------------------------

    def index(self, value: "int | ir.Value") -> ir.Value:
        """Give a 64-bit integer."""
        return ir.Constant(INDEX, value) if isinstance(value, int) else value

    def number(self, value: float) -> ir.Constant:
        """Give one number of the precision."""
        return ir.Constant(self.numbers.real, float(self.numbers.dtype.type(value)))

    def constant(self, value: float) -> ir.Constant:
        """Give a vector of equal numbers."""
        return ir.Constant(self.numbers.vector, [float(self.numbers.dtype.type(value))] * self.numbers.lanes)

    def wholes(self, value: int) -> ir.Constant:
        """Give a vector of equal integers, as wide as numbers."""
        return ir.Constant(self.numbers.wholes, [value] * self.numbers.lanes)

    # Memory
    # ----------------------------------------------------------------------------------------------------

    def at(self, pointer: ir.Value, offset: "int | ir.Value") -> ir.Value:
        """Give a pointer ``offset`` numbers further."""
        if isinstance(offset, int) and offset == 0:
            return pointer
        return self.b.gep(pointer, [self.index(offset)], source_etype=self.numbers.real)

    def load(self, pointer: ir.Value, offset: "int | ir.Value" = 0) -> ir.Value:
        """Load a vector."""
        return self.b.load(self.at(pointer, offset), align=self.numbers.size, typ=self.numbers.vector)

    def store(self, value: ir.Value, pointer: ir.Value, offset: "int | ir.Value" = 0) -> None:
        """Store a vector."""
        self.b.store(value, self.at(pointer, offset), align=self.numbers.size)

    def load_one(self, pointer: ir.Value, offset: "int | ir.Value" = 0) -> ir.Value:
        """Load one number."""
        return self.b.load(self.at(pointer, offset), align=self.numbers.size, typ=self.numbers.real)

    def store_one(self, value: ir.Value, pointer: ir.Value, offset: "int | ir.Value" = 0) -> None:
        """Store one number."""
        self.b.store(value, self.at(pointer, offset), align=self.numbers.size)

    def load_index(self, pointer: ir.Value, offset: "int | ir.Value" = 0) -> ir.Value:
        """Load a 64-bit integer from an array of such."""
        place = self.b.gep(pointer, [self.index(offset)], source_etype=INDEX)
        return self.b.load(place, align=8, typ=INDEX)

    def load_pointer(self, pointer: ir.Value, offset: "int | ir.Value" = 0) -> ir.Value:
        """Load an address from an array of such."""
        place = self.b.gep(pointer, [self.index(offset)], source_etype=POINTER)
        return self.b.load(place, align=8, typ=POINTER)

    def spread(self, value: ir.Value) -> ir.Value:
        """Give a vector of ``value`` in every lane."""
        vector = ir.Constant(self.numbers.vector, ir.Undefined)
        first = self.b.insert_element(vector, value, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.numbers.lanes), [0] * self.numbers.lanes)
        return self.b.shuffle_vector(first, vector, mask)

    def spread_at(self, pointer: ir.Value, offset: "int | ir.Value" = 0) -> ir.Value:
        """Load one number into every lane."""
        return self.spread(self.load_one(pointer, offset))

    # Arithmetic on vectors (and on single numbers)
    # ----------------------------------------------------------------------------------------------------

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Give a + b."""
        return self.b.fadd(a, b, flags=CONTRACT)

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Give a - b."""
        return self.b.fsub(a, b, flags=CONTRACT)

    def mul(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Give a * b."""
        return self.b.fmul(a, b, flags=CONTRACT)

    def div(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Give a / b."""
        return self.b.fdiv(a, b, flags=CONTRACT)

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """Give a * b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def where(self, condition: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
        """Give a where the condition holds, b elsewhere."""
        return self.b.select(condition, a, b)

    def compare(self, how: str, a: ir.Value, b: ir.Value) -> ir.Value:
        """Compare numbers (``"<"``, ``"<="``, ``"=="``, ...); with a NaN nothing holds."""
        return self.b.fcmp_ordered(how, a, b)

    def is_nan(self, a: ir.Value) -> ir.Value:
        """Tell where a is NaN."""
        return self.b.fcmp_unordered("uno", a, a)

    def intrinsic(self, name: str, *arguments: ir.Value) -> ir.Value:
        """Call ``llvm.NAME`` on vectors or numbers, all of one type."""
        kind = arguments[0].type
        scalar = f"f{8 * self.numbers.size}"
        full = f"llvm.{name}.{self.numbers.suffix if kind == self.numbers.vector else scalar}"
        return self.call(full, arguments, kind)

    def call(self, name: str, arguments: Sequence[ir.Value], result: ir.Type = VOID) -> ir.Value:
        """Call a function by its name, declared at its first use."""
        function = self.module.globals.get(name)
        if function is None:
            kinds = [argument.type for argument in arguments]
            function = ir.Function(self.module, ir.FunctionType(result, kinds), name)
        return self.b.call(function, arguments)

    def call_at(self, address: ir.Value, kind: ir.FunctionType, arguments: Sequence[ir.Value]) -> ir.Value:
        """Call the function that begins at an address."""
        return self.b.call(_Callee(address, kind), arguments)

    def total(self, vector: ir.Value) -> ir.Value:
        """Add up the lanes, in pairs; the same order every time."""
        b, lanes = self.b, self.numbers.lanes
        while lanes > 1:
            lanes //= 2
            kind = ir.VectorType(ir.IntType(32), lanes)
            nothing = ir.Constant(vector.type, ir.Undefined)
            low = b.shuffle_vector(vector, nothing, ir.Constant(kind, list(range(lanes))))
            high = b.shuffle_vector(vector, nothing, ir.Constant(kind, list(range(lanes, 2 * lanes))))
            vector = b.fadd(low, high)
        return b.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    # Loops
    # ----------------------------------------------------------------------------------------------------

    def loop(
        self,
        stop: "int | ir.Value",
        body: "Callable[[ir.Value, list[ir.Value]], Sequence[ir.Value] | None]",
        carried: Sequence[ir.Value] = (),
        *,
        start: "int | ir.Value" = 0,
        step: "int | ir.Value" = 1,
    ) -> list[ir.Value]:
        """Run ``carried = body(k, carried)`` for k from start up to, not including, stop; maybe never.

        Gives what was carried in the end.
        """
        with self._looping(stop, carried, start, step) as (k, values, results):
            results += body(k, list(values)) or ()
        return values

    @contextmanager
    def each(
        self, stop: "int | ir.Value", *, start: "int | ir.Value" = 0, step: "int | ir.Value" = 1
    ) -> Iterator[ir.Value]:
        """Write the body of a loop that carries nothing: ``with code.each(n) as k:``."""
        with self._looping(stop, (), start, step) as (k, _, _):
            yield k

    @contextmanager
    def _looping(
        self,
        stop: "int | ir.Value",
        carried: Sequence[ir.Value],
        start: "int | ir.Value",
        step: "int | ir.Value",
    ) -> Iterator[tuple[ir.Value, list[ir.Value], list[ir.Value]]]:
        """Give counter, carried values, and a list for what the body carries on."""
        b = self.b
        before = b.block
        head = self.function.append_basic_block("head")
        inside = self.function.append_basic_block("body")
        behind = self.function.append_basic_block("behind")
        b.branch(head)
        b.position_at_end(head)
        k = b.phi(INDEX)
        k.add_incoming(self.index(start), before)
        values = [b.phi(value.type) for value in carried]
        for phi, value in zip(values, carried, strict=True):
            phi.add_incoming(value, before)
        b.cbranch(b.icmp_signed("<", k, self.index(stop)), inside, behind)
        b.position_at_end(inside)
        results: list[ir.Value] = []
        yield k, values, results
        k.add_incoming(b.add(k, self.index(step)), b.block)
        for phi, result in zip(values, results, strict=True):
            phi.add_incoming(result, b.block)
        b.branch(head)
        b.position_at_end(behind)

    @contextmanager
    def when(self, condition: ir.Value) -> Iterator[None]:
        """Write what happens only where a condition holds."""
        with self.b.if_then(condition):
            yield

    def done(self, value: ir.Value | None = None) -> None:
        """End the function."""
        if value is None:
            self.b.ret_void()
        else:
            self.b.ret(value)


class _Callee:
    """An address as llvmlite wants what is called: with the type of the function that begins there."""

    def __init__(self, address: ir.Value, kind: ir.FunctionType) -> None:
        self.type, self.get_reference, self.function_type = address.type, address.get_reference, kind
