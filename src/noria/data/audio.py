"""Recordings as sequences: mel-frequency cepstral coefficients, a row for each hundredth of a second."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.data.records import Record, Records
from noria.data.text import missing_file
from noria.errors import DataError, MissingExtraError

ENDS = (".wav", ".flac", ".ogg")
"""The ends of the names of files that are recordings."""


@dataclass(frozen=True)
class Cepstrum:
    """How a recording becomes rows.

    Attributes
    ----------
    sample_rate : int
        What every recording is brought to, in samples a second.
    coefficients : int
        Cepstral coefficients of a frame.
    changes : bool
        Whether the slopes of the coefficients stand beside them.
    frame, hop : float
        Length of a frame, and from one to the next, in milliseconds.
    """

    sample_rate: int = 16_000
    coefficients: int = 13
    changes: bool = True
    frame: float = 25.0
    hop: float = 10.0

    @property
    def channels(self) -> tuple[str, ...]:
        """What each value of a row is."""
        names = [f"mfcc {number}" for number in range(self.coefficients)]
        return (*names, *(f"slope of {name}" for name in names if self.changes))

    def __call__(self, path: Path) -> Float[Array, "T C"]:
        """Read a recording of any length and number of channels.

        Raises
        ------
        DataError
            If the file is no recording, or silent for want of samples.
        MissingExtraError
            If librosa or soundfile is not installed.
        """
        librosa, soundfile = _libraries()
        if not path.exists():
            raise DataError(missing_file(path))
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise DataError(f"{path}: expected a recording, got what is none: {error.error_string}") from None
        if not len(samples) or not np.isfinite(samples).all():
            what = "no samples" if not len(samples) else "samples that are no numbers"
            raise DataError(f"{path}: expected a recording, got {what}.")
        signal = samples.mean(axis=1)
        if rate != self.sample_rate:
            signal = librosa.resample(signal, orig_sr=rate, target_sr=self.sample_rate)
        frame, hop = (round(self.sample_rate * length / 1000) for length in (self.frame, self.hop))
        signal = np.pad(signal, (0, max(0, frame - len(signal))))
        mfcc = librosa.feature.mfcc(
            y=signal, sr=self.sample_rate, n_mfcc=self.coefficients, n_fft=frame, hop_length=hop, n_mels=40
        ).T
        parts = (mfcc, _slopes(mfcc)) if self.changes else (mfcc,)
        return np.concatenate(parts, axis=1).astype(np.float32)


def read_recordings(path: Path, cepstrum: Cepstrum) -> Records:
    """Read a folder with a folder of recordings for each class; or without classes, a folder or one file.

    Raises
    ------
    DataError
        If there are none; while they are read, if one is no recording.
    """
    if not path.exists():
        raise DataError(missing_file(path))
    files: list[tuple[Path, str | None]] = [(path, None)] if path.is_file() else list(_found(path))
    if not files:
        raise DataError(
            f"{path}: expected a folder of recordings ({', '.join(ENDS)}) for each class, found none in it."
        )
    return Records("series", str(path), _Recordings(files, cepstrum), cepstrum.channels, recordings=True)


def is_of_recordings(path: Path) -> bool:
    """Whether a path is a recording, or a folder with some in it or in its folders."""
    return path.suffix.lower() in ENDS if path.is_file() else next(iter(_found(path)), None) is not None


@dataclass(frozen=True, eq=False)
class _Recordings:
    """The recordings of a folder, read one by one each time one goes through them."""

    files: list[tuple[Path, str | None]]
    cepstrum: Cepstrum

    def __iter__(self) -> Iterator[Record]:
        for file, label in self.files:
            yield Record(self.cepstrum(file), label, str(file))


def _found(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Give the recordings of a folder and those of its folders, which are classes, in the order of names."""
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.is_dir():
            yield from ((file, entry.name) for file in sorted(entry.rglob("*")) if _is_recording(file))
        elif _is_recording(entry):
            yield entry, None


def _is_recording(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in ENDS


def _slopes(rows: Float[Array, "T C"]) -> Float[Array, "T C"]:
    """Give the slope of each value over five rows, by least squares; the ends are repeated."""
    padded = np.pad(rows, ((2, 2), (0, 0)), mode="edge")
    count = len(rows)
    return np.asarray(
        sum(k * (padded[2 + k : 2 + k + count] - padded[2 - k : 2 - k + count]) for k in (1, 2)) / 10.0
    )


def _libraries() -> tuple[Any, Any]:
    try:
        import librosa
        import soundfile
    except ImportError:
        raise MissingExtraError(
            "recordings need librosa and soundfile, which are not installed.\n  pip install 'noria[audio]'"
        ) from None
    return librosa, soundfile
