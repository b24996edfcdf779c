"""Folders of tables and sound files as series."""

import numpy as np
import pytest
from scipy.io import wavfile

from hourglass import readers
from hourglass.readers.series import Records


def test_a_folder_of_tables_is_a_record_each(tmp_path):
    for name, rows in (("a/1.csv", 3), ("b/2.csv", 5)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("t,x\n" + "".join(f"{i},{i / 2}\n" for i in range(rows)))
    (tmp_path / "LICENSE.txt").write_text("free\n")
    (tmp_path / "b/3.csv").write_text("t,y\n1,2.5\n")
    data = readers.read(tmp_path)
    assert data.kind == "series" and data.names == ("a/1.csv", "b/2.csv") and data.labels.tolist() == ["a", "b"]
    assert isinstance(data.X, Records) and [len(x) for x in data.X] == [3, 5]
    assert [reason for _, reason in data.skipped] == ["its columns are not those of the first file, t, x"]


@pytest.mark.parametrize(
    ("samples", "value"),
    [(np.array([0, 16384], np.int16), 0.5), (np.array([128, 192], np.uint8), 0.5), (np.float32([0, 0.5]), 0.5)],
)
def test_sound(tmp_path, samples, value):
    wavfile.write(tmp_path / "a.wav", 8000, samples)
    data = readers.read(tmp_path / "a.wav")
    assert data.kind == "series" and data.X.rate == 8000 and data.X.form == "one" and data.X.is_flat
    np.testing.assert_allclose(data.X[0][:, 0], [0, value])


def test_a_folder_of_sound(tmp_path):
    for name, rate in (("a", 8000), ("b", 8000), ("c", 4000)):
        wavfile.write(tmp_path / f"{name}.wav", rate, np.zeros((10, 2), np.int16))
    (tmp_path / "d.wav").write_bytes(b"RIFF nothing")
    data = readers.read(tmp_path)
    assert data.names == ("a.wav", "b.wav") and data.X.rate == 8000
    assert "has 4000 Hz and 2 channels, and the first file 8000 Hz and 2 channels" in data.skipped[0][1]
    assert "is corrupt" in data.skipped[1][1]
