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


def test_a_wfdb_record(tmp_path):
    wfdb = pytest.importorskip("wfdb", reason="wfdb is not installed")
    signals = np.stack([np.sin(np.arange(500) / 9), np.cos(np.arange(500) / 5)], axis=1)
    wfdb.wrsamp("a", 360, ["mV", "mV"], ["MLII", "V5"], signals, fmt=["16", "16"], write_dir=str(tmp_path))
    data = readers.read(tmp_path / "a.hea")
    assert data.kind == "series" and data.X[0].column_names == ["MLII", "V5"]
    np.testing.assert_allclose(data.X[0]["V5"].to_numpy(), signals[:, 1], atol=1e-3)
    assert readers.read(tmp_path).names == ("a.hea",)


def test_an_edf_file(tmp_path):
    highlevel = pytest.importorskip("pyedflib.highlevel", reason="pyedflib is not installed")
    signals = np.stack([100 * np.sin(np.arange(512) / 9), 100 * np.cos(np.arange(512) / 5)])
    headers = highlevel.make_signal_headers(["C3", "C4"], sample_frequency=256, physical_min=-200, physical_max=200)
    highlevel.write_edf(str(tmp_path / "a.edf"), signals, headers)
    data = readers.read(tmp_path / "a.edf")
    assert data.kind == "series" and data.X[0].column_names == ["C3", "C4"]
    np.testing.assert_allclose(data.X[0]["C4"].to_numpy(), signals[1], atol=0.1)


def test_what_a_recording_needs_is_said(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyedflib", None)
    (tmp_path / "a.edf").write_bytes(b"0")
    with pytest.raises(ImportError, match="EDF files are read by pyEDFlib: pip install pyedflib"):
        readers.read(tmp_path / "a.edf")
