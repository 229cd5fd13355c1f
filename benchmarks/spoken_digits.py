"""Spoken digits, said by the voices of ``espeak-ng``: a folder of recordings for each word.

The voices of the test part say nothing in the training part. Debian has the program as ``espeak-ng``.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEEDS, PITCHES = (150, 190), (35, 65)
UNHEARD = 30
"""Voices that are tested on."""
PROGRAM = "espeak-ng"


def spoken_digits(folder: Path, seed: int) -> tuple[Path, Path]:
    """Have all voices say all digits at two speeds and two pitches; give the training and the test folder.

    Parameters
    ----------
    folder : path
        What was said there before, with the same seed, is taken as it is.
    seed : int
        Draws the voices of the test part.
    """
    parts = folder / f"heard-{seed}", folder / f"unheard-{seed}"
    if not all(part.exists() for part in parts):
        voices = list(_voices())
        order = np.random.default_rng(seed).permutation(len(voices))
        for part, chosen in zip(parts, (order[UNHEARD:], order[:UNHEARD]), strict=True):
            for index in chosen:
                _say(part, voices[index])
    return parts


def is_installed() -> bool:
    """Whether the program is there."""
    return shutil.which(PROGRAM) is not None


def _voices() -> Iterator[str]:
    """Give the variants of a voice."""
    listed = subprocess.run([PROGRAM, "--voices=variant"], capture_output=True, text=True, check=True)
    for line in sorted(listed.stdout.splitlines()[1:]):
        yield line.split("!v/")[1].strip()


def _say(part: Path, voice: str) -> None:
    for word in WORDS:
        place = part / word
        place.mkdir(parents=True, exist_ok=True)
        for speed in SPEEDS:
            for pitch in PITCHES:
                file = place / f"{voice.replace(' ', '_')}-{speed}-{pitch}.wav"
                how = ["-v", f"en+{voice}", "-s", str(speed), "-p", str(pitch), "-w", str(file)]
                subprocess.run([PROGRAM, *how, word], check=True, stderr=subprocess.DEVNULL)
