"""Recordings: what a tone looks like, folders as classes, and what is no recording."""

import wave

import numpy as np
import pytest

from noria.data.audio import Cepstrum, is_of_recordings, read_recordings
from noria.errors import DataError, MissingExtraError

librosa = pytest.importorskip("librosa")
soundfile = pytest.importorskip("soundfile")


def write_tone(path, pitch, seconds=0.3, rate=16_000, channels=1, fade=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * rate)) / rate
    samples = np.repeat((0.5 * np.sin(2 * np.pi * pitch * times))[:, None], channels, 1)
    samples *= np.linspace(0, 1, len(samples))[:, None] if fade else 1
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


@pytest.fixture
def folder(tmp_path):
    for label, pitch in (("low", 200), ("high", 2000)):
        for number, seconds in enumerate((0.2, 0.3)):
            write_tone(tmp_path / label / f"{number}.wav", pitch, seconds)
    return tmp_path


def test_folders_are_classes(folder):
    read = read_recordings(folder, Cepstrum())
    records = list(read)
    assert [record.target for record in records] == ["high", "high", "low", "low"]
    assert read.recordings
    assert len(read.channels) == 26
    lengths = [record.sequence.shape for record in records]
    assert lengths == [(21, 26), (31, 26)] * 2, "a row each hundredth of a second"
    assert is_of_recordings(folder)


def test_one_file_and_a_flat_folder_have_no_labels(folder):
    (record,) = read_recordings(folder / "low" / "0.wav", Cepstrum())
    assert record.target is None
    assert [one.target for one in read_recordings(folder / "low", Cepstrum())] == [None, None]


def test_coefficients_are_those_of_librosa(folder):
    rows = Cepstrum(changes=False)(folder / "low" / "0.wav")
    samples, _ = soundfile.read(folder / "low" / "0.wav", dtype="float32")
    theirs = librosa.feature.mfcc(y=samples, sr=16_000, n_mfcc=13, n_fft=400, hop_length=160, n_mels=40)
    np.testing.assert_allclose(rows, theirs.T, rtol=1e-5)


def test_slopes_are_those_of_a_straight_line(tmp_path):
    write_tone(tmp_path / "a.wav", 440, fade=True)
    rows = Cepstrum()(tmp_path / "a.wav").astype(np.float64)
    windows = np.stack([rows[t - 2 : t + 3, 0] for t in range(2, len(rows) - 2)], axis=1)
    slopes = np.polyfit(np.arange(5), windows, 1)[0]
    assert slopes.max() > 1
    np.testing.assert_allclose(rows[2:-2, 13], slopes, rtol=1e-3, atol=1e-3)


def test_sample_rate_and_channels_make_no_difference(tmp_path):
    write_tone(tmp_path / "a.wav", 440)
    write_tone(tmp_path / "b.wav", 440, rate=44_100, channels=2)
    one, other = (Cepstrum()(tmp_path / name) for name in ("a.wav", "b.wav"))
    assert one.shape == other.shape
    assert np.corrcoef(one[5:-5, 1:13].ravel(), other[5:-5, 1:13].ravel())[0, 1] > 0.9


def test_a_very_short_recording_is_one(tmp_path):
    write_tone(tmp_path / "a.wav", 440, seconds=0.005)
    assert np.isfinite(Cepstrum()(tmp_path / "a.wav")).all()


def test_what_is_no_recording_is_named(folder):
    (folder / "low" / "notes.wav").write_text("this is no recording")
    with pytest.raises(DataError, match=r"notes\.wav: expected a recording, got what is none"):
        list(read_recordings(folder, Cepstrum()))
    write_tone(folder / "low" / "notes.wav", 200, seconds=0)
    with pytest.raises(DataError, match=r"notes\.wav: expected a recording, got no samples"):
        list(read_recordings(folder, Cepstrum()))
    with pytest.raises(DataError, match="no such file"):
        read_recordings(folder / "lwo", Cepstrum())
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match="found none in it"):
        read_recordings(folder / "empty", Cepstrum())


def test_a_missing_library_is_said(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "librosa", None)
    with pytest.raises(MissingExtraError, match=r"noria\[audio\]"):
        list(read_recordings(folder, Cepstrum()))
