"""Files that are whole or not there: written beside their place, forced to the disk, then moved into it."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.errors import RunError

HALF = ".*.new"
"""What files are called until they are whole."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at any moment its old or its new content is there, and never half of one.

    Raises
    ------
    RunError
        If it cannot be written (full disk, no permission, no such folder); the old content then still stands.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    untouched = "What was there before is untouched. " if path.exists() else ""
    try:
        try:
            with open(beside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written: {error.strerror or error}.\n"
            f"  {untouched}Make room or choose another folder, then go on."
        ) from error


def _sync_folder(folder: Path) -> None:
    """Force the new name to the disk, where the system can do that for folders."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_arrays(path: Path, arrays: Mapping[str, Array], note: str) -> None:
    """Write named arrays as safetensors, the same arrays always as the same bytes.

    Parameters
    ----------
    path : Path
    arrays : mapping of str to array
    note : str
        Kept in the file beside the arrays. One entry only: the format leaves the order of several to chance.
    """
    from safetensors.numpy import save

    # The format copies memory as it lies, so that a transposed view would come back with its values mixed up.
    straight = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_atomically(path, save(straight, metadata={"noria": note}))


def read_arrays(path: Path) -> dict[str, Array]:
    """Read what :func:`write_arrays` wrote.

    Raises
    ------
    RunError
        If the file is missing, cannot be read or is not whole.
    """
    from safetensors.numpy import load

    with _damage_named(path):
        arrays: dict[str, Array] = dict(sorted(load(path.read_bytes()).items()))
    return arrays


def read_note(path: Path) -> dict[str, Any]:
    """Read the note of :func:`write_arrays`, which is a JSON object, and none of the arrays.

    Raises
    ------
    RunError
        If the file is missing, cannot be read or is not whole.
    """
    from safetensors import safe_open

    with _damage_named(path), safe_open(path, framework="numpy") as file:
        note = json.loads((file.metadata() or {}).get("noria", "{}"))
    return note if isinstance(note, dict) else {}


@contextlib.contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Make whatever reading a file stumbles over a RunError that names it."""
    from safetensors import SafetensorError

    try:
        yield
    except FileNotFoundError as error:
        raise RunError(
            f"{path}: the file is missing.\n  The run was cut off before it was written, or it was moved."
        ) from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except (SafetensorError, ValueError) as error:
        raise RunError(
            f"{path}: the file is damaged ({error}).\n  Copy the run again from where it was made."
        ) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    RunError
        If it cannot be read or is not TOML: says where.
    """
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(
            f"{path}: the file is damaged: {error}.\n  Copy the run again from where it was made."
        ) from error
