"""Machine code on disk, so that a cell is compiled once and not once in every process.

A file is named by a hash of all that its content depends on: what was asked for, the source of this engine,
the processor and the version of LLVM. It begins with a hash of its content; a file that is not whole is as
good as none. Nothing here is an error: where nothing can be written, nothing is kept.

The folder is ``NORIA_CACHE``, or ``noria`` in the user's folder for such files; ``NORIA_CACHE=off`` keeps
nothing.
"""

import os
import re
import sys
import tempfile
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from noria.engines.native.host import host

KEPT = 512
"""Files that are kept; the oldest go first."""


def folder() -> Path | None:
    """Give the folder of compiled code; None if there is to be none."""
    named = os.environ.get("NORIA_CACHE", "").strip()
    if named.lower() == "off":
        return None
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "") or os.path.expanduser("~/.cache")
    return Path(base) / "noria" if base and not base.startswith("~") else None


def name_of(asked: str) -> str:
    """Give the name of the file for what is asked for."""
    return sha256(f"{_circumstances()}\0{asked}".encode()).hexdigest()


def load(name: str) -> bytes | None:
    """Give the machine code of that name; None if there is none, or it is damaged."""
    place = folder()
    if place is None:
        return None
    try:
        content = (place / name).read_bytes()
    except OSError:
        return None
    digest, code = content[:32], content[32:]
    return code if sha256(code).digest() == digest else None


def store(name: str, code: bytes) -> None:
    """Keep machine code under a name; it is moved to its place when it is whole."""
    place = folder()
    if place is None:
        return
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=place, prefix=".noria-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sha256(code).digest() + code)
            os.replace(temporary, place / name)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            return
        _make_room(place)


def _make_room(place: Path) -> None:
    files = [path for path in place.iterdir() if re.fullmatch("[0-9a-f]{64}", path.name) and path.is_file()]
    if len(files) > KEPT:
        files.sort(key=lambda path: path.stat().st_mtime)
        for path in files[: len(files) - KEPT]:
            path.unlink(missing_ok=True)


@cache
def _circumstances() -> str:
    """Give what all machine code depends on besides what is asked for."""
    import llvmlite.binding as llvm

    here = host()
    source = sha256()
    engine = Path(__file__).parent
    for path in sorted([*engine.parent.rglob("*.py"), *engine.parent.parent.glob("compiler/*.py")]):
        source.update(path.read_bytes())
    return f"{source.hexdigest()} {here} {llvm.llvm_version_info} {sys.platform}"
