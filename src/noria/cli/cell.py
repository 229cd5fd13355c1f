"""``noria cell``: the cells that ship, and everything that is derived from the equations of one."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from noria.cli.cell_files import open_cell
from noria.cli.common import Debug, Json
from noria.cli.console import give, give_json, say, table

if TYPE_CHECKING:
    from noria.equations import Cell, Initial

COST = "Cost of one step of one sequence, in float32 (a multiply-add counts as two operations)"

app = App(name="cell")


@app.command(name="list")
def list_(*, json: Json = False, debug: Debug = False) -> None:
    """List the cells that ship, each with its states and the paper it comes from."""
    from noria.equations import cells

    known = [cells.get(name) for name in cells.names()]
    if json:
        give_json([_summary(cell) for cell in known])
        return
    rows = [("cell", "states", "equations", "from")]
    rows += [(c.name, ", ".join(c.states), str(len(c.equations)), _first_line(c.citation)) for c in known]
    give(table(rows, right=[2]) + "\n")
    say("Next", "noria cell show lstm")


@app.command
def show(
    cell: Annotated[str, Parameter(help="The name of a cell that ships, or a file of equations.")],
    *,
    input_size: Annotated[int, Parameter(help="D, for the counts and the kernel.")] = 64,
    hidden_size: Annotated[int, Parameter(help="H, for the counts and the kernel.")] = 128,
    latex: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Write the LaTeX alone: forward, then backward."),
    ] = False,
    kernel: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="Write the code of the native engine alone: LLVM IR as generated, then assembly.",
        ),
    ] = False,
    dtype: Annotated[
        Literal["float32", "float64"], Parameter(help="The precision of the kernel.")
    ] = "float32",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show a cell: its equations, parameters, LaTeX, backward pass, program, and what a step costs."""
    from noria.errors import OptionError

    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if size < 1:
            raise OptionError(f"The {name!r} option of cell show must be an int of at least 1. Got {size}.")
    if latex and kernel:
        raise OptionError("cell show: expected --latex or --kernel, got both. Leave one of them out.")
    found = open_cell(cell)
    sizes = {"D": input_size, "H": hidden_size}
    if kernel:
        _show_kernel(found, sizes, dtype, json=json)
        return
    everything = _derived(found, sizes)
    if latex:
        give(f"{everything['latex']}\n\n{everything['backward_latex']}\n")
    elif json:
        give_json(everything)
    else:
        give("\n\n".join(_sections(found, everything)) + "\n")


def _summary(cell: "Cell") -> dict[str, Any]:
    return {
        "name": cell.name,
        "states": cell.states,
        "equations": len(cell.equations),
        "citation": cell.citation,
        "text": cell.text,
    }


def _derived(cell: "Cell", sizes: Mapping[str, int]) -> dict[str, Any]:
    """Gather all that is derived from a cell, as plain data."""
    from noria.compiler import compile_cell, cost, parameter_table, textbook_backward
    from noria.equations import latex

    known = {symbol: size for symbol, size in sizes.items() if symbol in cell.sizes}
    program = compile_cell(cell)
    backward = textbook_backward(cell)
    return _summary(cell) | {
        "sizes": {symbol: known.get(symbol, sizes["H"]) for symbol in cell.sizes},
        "constants": dict(cell.constants),
        "parameters": [
            dataclasses.asdict(row) | {"initial": _initial(cell.initial[row.name])}
            for row in parameter_table(cell, known)
        ],
        "latex": latex(cell),
        "backward": backward.text,
        "backward_latex": backward.latex,
        "program": str(program),
        "cost": dataclasses.asdict(cost(program, known)),
    }


def _show_kernel(cell: "Cell", sizes: Mapping[str, int], dtype: str, *, json: bool) -> None:
    """Write the machine code of a cell's kernel, under a line that says what it was made for."""
    from noria.compiler import compile_cell
    from noria.engines import why_not_native
    from noria.errors import EngineError

    if reason := why_not_native(dtype):
        raise EngineError(f"{cell.name}: no kernel to show, the native engine cannot run here: {reason}")
    from noria.engines.native.listing import kernel_listing

    known = {symbol: size for symbol, size in sizes.items() if symbol in cell.sizes}
    it = kernel_listing(compile_cell(cell), known, dtype)
    if json:
        give_json({"cell": cell.name, **dataclasses.asdict(it)})
        return
    numbers = ", ".join(f"{symbol} = {size}" for symbol, size in it.sizes.items())
    tile = f"register tile {it.tile[0]} rows x {it.tile[1]} vectors"
    give(f"; {cell.name} · {it.engine}: {it.processor} · {numbers} · {it.dtype} · {tile}")
    give(f" · compiled in {it.milliseconds:.0f} ms\n\n; LLVM IR, as generated\n{it.ir.strip()}\n\n")
    give(f"; Assembly\n{it.assembly.strip()}\n")


def _sections(cell: "Cell", derived: Mapping[str, Any]) -> Iterable[str]:
    sizes = ", ".join(f"{symbol} = {size}" for symbol, size in derived["sizes"].items())
    yield f"{cell.name}: states {', '.join(cell.states)}; {sizes}"
    yield _section("Equations", cell.text.strip())
    yield f"Parameters\n{_parameter_rows(derived['parameters'])}"
    yield _section("LaTeX", derived["latex"])
    yield _section("Backward, with the forward that it reads", derived["backward"])
    yield _section("Program", derived["program"])
    yield f"{COST}\n{_cost_rows(derived['cost'])}"


def _section(title: str, body: str) -> str:
    return title + "\n" + "\n".join(f"  {line}".rstrip() for line in body.splitlines())


def _parameter_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = [("name", "shape", "", "numbers", "starts as")]
    total = 0
    for row in rows:
        total += row["count"]
        lines.append(
            (row["name"], _tuple(row["symbols"]), _tuple(row["shape"]), f"{row['count']:,}", row["initial"])
        )
    return table([*lines, ("all", "", "", f"{total:,}", "")], right=[3])


def _initial(initial: "Initial") -> str:
    numbers = ", ".join(f"{number:g}" for number in initial.arguments)
    return f"{initial.kind}({numbers})" if numbers else initial.kind


def _tuple(entries: Iterable[object]) -> str:
    return " x ".join(map(str, entries))


def _cost_rows(cost: Mapping[str, int]) -> str:
    return table([(name.replace("_", " "), f"{number:,}") for name, number in cost.items()], right=[1])


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
