"""Parts of vectors: loads and stores at edges where whole vectors would touch foreign memory."""

from llvmlite import ir

from noria.engines.native.code import Code

I32 = ir.IntType(32)


def first_lanes(code: Code, count: "int | ir.Value") -> ir.Value:
    """Give a mask of the first ``count`` lanes: none where it is 0 or less, all where it is large."""
    lanes = code.numbers.lanes
    kind = ir.VectorType(ir.IntType(64), lanes)
    numbered = ir.Constant(kind, list(range(lanes)))
    nothing = ir.Constant(kind, ir.Undefined)
    first = code.b.insert_element(nothing, code.index(count), ir.Constant(I32, 0))
    spread = code.b.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))
    return code.b.icmp_signed("<", numbered, spread)


def load_part(code: Code, mask: ir.Value, pointer: ir.Value, offset: "int | ir.Value" = 0) -> ir.Value:
    """Load the lanes of a mask, zeros elsewhere; nothing else is read."""
    numbers = code.numbers
    name = f"llvm.masked.load.{numbers.suffix}.p0"
    place = code.at(pointer, offset)
    return code.call(name, [place, ir.Constant(I32, numbers.size), mask, code.constant(0.0)], numbers.vector)


def store_part(
    code: Code, value: ir.Value, mask: ir.Value, pointer: ir.Value, offset: "int | ir.Value" = 0
) -> None:
    """Store the lanes of a mask; nothing else is written."""
    numbers = code.numbers
    name = f"llvm.masked.store.{numbers.suffix}.p0"
    code.call(name, [value, code.at(pointer, offset), ir.Constant(I32, numbers.size), mask])


def prefetch(code: Code, pointer: ir.Value, offset: "int | ir.Value" = 0, *, level: int = 1) -> None:
    """Ask for a cache line that will be needed soon, in the cache of that level; any address is allowed."""
    read, kept, data = (ir.Constant(I32, value) for value in (0, 4 - level, 1))
    code.call("llvm.prefetch.p0", [code.at(pointer, offset), read, kept, data])
