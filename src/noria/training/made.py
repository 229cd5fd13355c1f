"""What was made on the disk for a run that is not complete yet, so that a failure leaves nothing behind."""

import contextlib
from pathlib import Path


class Made:
    """Folders and files in the order in which they were made; what was there before is not among them."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._is_complete = False

    def note(self, path: Path) -> None:
        """Take in a folder or file that was made just now."""
        if not self._is_complete:
            self._paths.append(path)

    def file(self, path: Path) -> Path:
        """Take in a file that is about to be written, if it is new; give it back."""
        if not path.exists():
            self.note(path)
        return path

    def make_folders(self, folder: Path) -> None:
        """Make a folder and the parents that it lacks."""
        for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
            try:
                missing.mkdir()
            except FileExistsError:
                if not missing.is_dir():
                    raise
                continue  # somebody else made it just now
            self.note(missing)

    def remove(self) -> None:
        """Remove all of it; a folder in which others have put something stays."""
        for path in reversed(self._paths):
            with contextlib.suppress(OSError):  # the error that led here is the one to be told of
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """Let it stay, and all that will be made from now on."""
        self._paths.clear()
        self._is_complete = True
