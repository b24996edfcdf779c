"""Finding and fetching files: order of the folders, checksums, and what is left after a failure."""

import gzip
import hashlib
import urllib.error

import numpy as np
import pytest

from hourglass import datasets
from hourglass.datasets import nsl_kdd
from hourglass.datasets.files import File, find

CONTENT = b"what the public home has"
FILE = File(
    "a/t.bin", "https://example.org/t.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), also=("a/t.old",)
)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """An empty data folder and an empty cache, and no network."""
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def offline(url, timeout):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    return tmp_path


@pytest.fixture
def online(folders, monkeypatch):
    """The same with a public home that answers with whatever is put into the list."""
    source, answers = folders / "answer", []

    class Answer:
        headers = {}

        def __enter__(self):
            self.file = source.open("rb")
            return self

        def __exit__(self, *_):
            self.file.close()

        def read(self, size):
            return self.file.read(size)

    def urlopen(url, timeout):
        answers.append(url)
        return Answer()

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return source, answers


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_order_of_the_folders(folders):
    kept = put(folders / "cache/hourglass/a/t.bin")
    assert find(FILE) == kept
    kept = put(folders / "data/a/t.old")
    assert find(FILE) == kept
    kept = put(folders / "data/a/t.bin")
    assert find(FILE) == kept


def test_offline_says_what_to_put_where(folders):
    with pytest.raises(ConnectionError) as caught:
        find(FILE)
    message = str(caught.value)
    for part in (FILE.url, "no route to host", str(folders / "cache/hourglass/a/t.bin"), "HOURGLASS_DATA", FILE.sha256):
        assert part in message
    with pytest.raises(ConnectionError, match="train-images-idx3"):
        datasets.load("mnist")
    assert not [path for path in folders.rglob("*") if path.is_file()]


def test_fetched_once_and_checked(folders, online):
    source, asked = online
    source.write_bytes(CONTENT)
    path = find(FILE)
    assert path == folders / "cache/hourglass/a/t.bin" and path.read_bytes() == CONTENT
    assert find(FILE) == path and asked == [FILE.url]


@pytest.mark.parametrize("unpacked", [False, True])
def test_another_checksum_leaves_nothing(folders, online, unpacked):
    online[0].write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"another checksum.*was deleted"):
        find(File("a/t.gz", FILE.url, FILE.sha256, 10, unpacked))
    assert [path.name for path in folders.rglob("*") if path.is_file()] == ["answer"]


def test_unpacked_checksum_takes_any_compression(online):
    for level in (1, 9):
        online[0].write_bytes(gzip.compress(CONTENT, level))
        assert find(File(f"a/{level}.gz", FILE.url, FILE.sha256, 10, unpacked=True)).exists()


def rows(labels, difficulty):
    fields = [
        "tcp" if c == "protocol_type" else "http" if c == "service" else "SF" if c == "flag" else "0.5"
        for c in nsl_kdd.COLUMNS
    ]
    return "".join(",".join([*fields, label, *(["21"] if difficulty else [])]) + "\n" for label in labels)


def test_both_forms_of_nsl_kdd(folders):
    header = ",".join([*nsl_kdd.COLUMNS, "label"]) + "\n"
    put(
        folders / "data/tabular/nsl_kdd/KDDTrain+.csv.gz",
        gzip.compress((header + rows(["normal", "attack"], False)).encode()),
    )
    put(folders / "data/tabular/nsl_kdd/KDDTest+.txt", rows(["neptune", "normal"], True).encode())
    data = datasets.load("nsl_kdd", "all")
    assert data.columns == nsl_kdd.COLUMNS and len(nsl_kdd.COLUMNS) == 41
    np.testing.assert_array_equal(data.labels, ["normal", "attack", "neptune", "normal"])
    put(folders / "data/tabular/nsl_kdd/KDDTrain+.csv.gz", gzip.compress(b"a,b\n1,2\n"))
    with pytest.raises(ValueError, match="not NSL-KDD: it has no column 'duration'"):
        datasets.load("nsl_kdd")
