"""Text: tokens that make the line again, what is cut and not known, where lines come from, and the whole way."""

import gzip
import math
import warnings

import numpy as np
import pandas
import pytest

from hourglass import Embedder, load, readers, report
from hourglass.cli import main
from hourglass.estimators import data_in
from hourglass.modalities import Text
from hourglass.modalities.tokens import UNKNOWN, Tokeniser, suited_unit, typed
from hourglass.networks.tokens import CHANNELS

ODD = ["  two  spaces, é and 漢字!?", "tab\there", "", " ", "a<num>b <unk>", "'quoted' (it's 3.5%)", "x_1-y2 <end>"]
LINES = [
    f"{12 + k % 4}:00:{10 + k % 7} {('sshd', 'cron')[k % 2]}[{100 + k}]: {('session opened', 'job started')[k % 2]} "
    f"for user {('root', 'guest', 'admin')[k % 3]}{('', ' by (uid=0)')[k % 2]}"
    for k in range(60)
]


def data_of(source, modality):
    return data_in.accept(source, modality)[1]


@pytest.mark.parametrize("unit", ["character", "word"])
def test_the_tokens_of_a_line_are_the_line(unit):
    tokeniser = Tokeniser.learn(ODD * 2, unit, 2_000, None)
    for line in ODD:
        assert "".join(tokeniser.split(line)) == line
        assert tokeniser.join(tokeniser.decode([*tokeniser.encode(line), 0, 5])) == line


def test_byte_pairs_know_every_text():
    pytest.importorskip("tokenizers")
    tokeniser = Tokeniser.learn(LINES, "bytepair", 300, None)
    assert len(tokeniser) == 302
    for line in [*ODD, *LINES]:
        assert tokeniser.join(tokeniser.decode(tokeniser.encode(line))) == line
    X = np.array(LINES, dtype=object)
    text = Text(unit="bytepair", vocabulary=300).infer(X)
    assert text.restore(text._tensor(X)).tolist() == LINES
    assert Text.from_json(text.to_json())._tokeniser.encode(LINES[3]) == tokeniser.encode(LINES[3])


def test_byte_pairs_without_their_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(ImportError, match=r'pip install "hourglass-ae\[text\]"; or take unit=word'):
        Tokeniser.learn(LINES, "bytepair", 300, None)


def test_words_that_are_rare_are_not_known():
    tokeniser = Tokeniser.learn(["go home now", "go home", "go", "stay"], "word", 1, None)
    assert tokeniser.tokens == ("<end>", "<unk>", " <unk>", "go")
    assert tokeniser.join(tokeniser.decode(tokeniser.encode("go home,stay"))) == f"go {UNKNOWN}{UNKNOWN}{UNKNOWN}"
    assert len(Tokeniser.learn(LINES, "word", 7, None)) == 3 + 7


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Jun 14 15:16:01 combo sshd[19939]: rhost=218.188.2.4 ", "<time> combo sshd[<num>]: rhost=<ip> "),
        ("2015-07-29 17:41:44,747 - INFO [myid=1] - timed out: 3200", "<time> - INFO [myid=<num>] - timed out: <num>"),
        ("2005-06-03-15.42.50.675872 R02-M1 at 0x0b85eee0, 5MB", "<time> R02-M1 at <hex>, <num>MB"),
        ("[Sun Dec 04 04:47:44 2005] 10.0.0.1:80 took 1.5s", "[Sun <time>] <ip>:<num> took <num>s"),
        ("blk_-38, v1.2, 3rd, 7f3a9c0d1e, deadbeef, feedback", "blk_-<num>, v1.2, 3rd, <hex>, deadbeef, feedback"),
    ],
)
def test_numbers_times_and_addresses_of_logs(line, wanted):
    assert typed(line) == wanted
    tokeniser = Tokeniser.learn([line, line], "word", 2_000, "typed")
    assert tokeniser.join(tokeniser.decode(tokeniser.encode(line))) == wanted


def test_the_unit_that_suits():
    assert suited_unit(LINES) == "word"
    assert suited_unit(["anna", "maria", "otto"] * 9) == "character"
    assert suited_unit([f"word{k} other{k} third{k}" for k in range(20)]) == "character"


def test_longer_lines_are_cut_with_one_warning():
    X = np.array([*["a b c"] * 300, "a b c " * 50], dtype=object)
    text = Text(unit="word").infer(X)
    assert text.shape == (1, 4)
    with pytest.warns(UserWarning, match=r"1 of 301 lines are longer than 4 tokens, and are cut there") as caught:
        back = text.restore(text._tensor(X))
    assert len(caught) == 1 and back[0] == "a b c" and back[-1] == "a b c a"
    longer = np.array([*["a b c"] * 300, "a b c c"], dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is cut for one token more
        found = Text(unit="character").infer(longer)
        assert found.restore(found._tensor(longer)).tolist() == longer.tolist()
    assert Text(unit="word", length=3).infer(longer).shape == (1, 3)


def test_what_lies_behind_the_end_costs_nothing():
    X = np.array(["a b", "a b a b a b a b"] * 20, dtype=object)
    options = {"modality": "text unit=word", "max_epochs": 2, "hidden": (8,), "random_state": 0}
    model = Embedder(n_latent=2, recipe="ae", **options).fit(X)
    raw = model.modality_._tensor(X)
    cells = model.model_.reconstruct(raw).cell_log_prob(raw)
    assert cells.shape == (40, 1, 9) and not cells[::2, 0, 3:].any() and bool((cells[::2, 0, :3] < 0).all())
    np.testing.assert_allclose(model.score_samples(X)[:2], cells[:2].sum((1, 2)).detach(), rtol=1e-4)


# ---- where lines come from -------------------------------------------------------------------------------------------


def test_a_log_is_text_and_a_txt_file_has_to_be_said(tmp_path):
    content = b"first line\r\n\n  second  \n"
    (tmp_path / "a.log").write_bytes(content)
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(content))
    (tmp_path / "a.txt").write_bytes(content)
    for name in ("a.log", "a.log.gz"):
        data = readers.read(tmp_path / name)
        assert data.X.tolist() == ["first line", "  second  "] and data.names == ("line 1", "line 3")
        assert data_in.accept(data, None)[0] == Text()
    with pytest.raises(ValueError, match=r"a\.txt: no kind of data suits this; say which with modality=:.*text"):
        data_in.accept(tmp_path / "a.txt", None)
    assert data_of(tmp_path / "a.txt", "text").tolist() == ["first line", "  second  "]
    (tmp_path / "bad.log").write_bytes(b"fine\nnot \xff fine\n")
    with pytest.raises(ValueError, match=r"bad\.log, line 2: is not text in UTF-8; convert it first"):
        readers.read(tmp_path / "bad.log")
    (tmp_path / "empty.log").write_text("\n \n")
    with pytest.raises(ValueError, match=r"empty\.log: holds no lines of text"):
        readers.read(tmp_path / "empty.log")


def test_a_column_of_a_table(tmp_path):
    frame = pandas.DataFrame({"level": [1, 2, 1], "message": ["up", None, "down"]})
    with pytest.warns(UserWarning, match="1 of 3 texts are missing; they are read as empty"):
        assert data_of(frame, "text column=message").tolist() == ["up", "", "down"]
    frame = frame.fillna("-")
    frame.to_csv(tmp_path / "t.csv", index=False)
    for source in (frame, tmp_path / "t.csv", frame[["message"]], frame["message"]):
        assert data_of(source, "text column=message").tolist() == ["up", "-", "down"]
    assert data_of(frame[["message"]], "text").tolist() == ["up", "-", "down"]
    assert data_of(frame.to_numpy(), "text column=1").tolist() == ["up", "-", "down"]
    with pytest.raises(ValueError, match=r"2 columns; say which holds the texts.*\(level, message\)"):
        data_of(frame, "text")
    with pytest.raises(ValueError, match="has no column 'massage'; it has level, message"):
        data_of(frame, "text column=massage")
    with pytest.raises(ValueError, match="row 0: 1 is not a text"):
        data_of(frame, "text column=level")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("text unit=letter", "unit='letter' is unknown; choose character, word or bytepair"),
        ("text fields=all", "fields='all' is unknown; choose typed"),
        ("text length=1", "length=1 must be a whole number of at least 2"),
        ("text unit=bytepair vocabulary=100", "vocabulary=100 must be a whole number of at least 300"),
    ],
)
def test_options_that_cannot_be(words, message):
    with pytest.raises(ValueError, match=message):
        Embedder(modality=words).fit(LINES)


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match="1 line of text; at least two are needed"):
        Text().infer(np.array(["one"], dtype=object))
    with pytest.raises(TypeError, match="not learned from a table read in chunks; give its column as a list"):
        Text(column="a").infer(iter([]))
    with pytest.raises(ValueError, match="all lines of X are empty"):
        Text().infer(np.array(["", ""], dtype=object))


# ---- the whole way ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted():
    return Embedder(
        n_latent=4, recipe="ae", modality="text fields=typed", max_epochs=60, hidden=(64,), random_state=0
    ).fit(LINES * 4)


def test_text_in_python(fitted, tmp_path):
    wanted = [typed(line) for line in LINES]
    assert fitted.transform(LINES).shape == (60, 4) and fitted.architecture_.network == "conv"
    assert fitted.model_.encode.encoder[1].first.out_channels == CHANNELS  # more than pictures have
    back = fitted.reconstruct(LINES)
    assert np.mean(back == np.array(wanted, dtype=object)) > 0.8
    assert all(isinstance(line, str) for line in fitted.sample(3, random_state=0))
    odd = fitted.score_samples(["root user by for opened session sshd", LINES[0]])
    assert odd[0] < odd[1] - 5 and math.isfinite(odd[0])
    with pytest.raises(TypeError, match="no missing cells to fill in"):
        fitted.impute(LINES)
    fitted.save(tmp_path)
    np.testing.assert_array_equal(load(tmp_path).score_samples(LINES), fitted.score_samples(LINES))


@pytest.mark.parametrize("network", ["conv", "residual"])
def test_convolutions_learn_lines(network):
    options = {"modality": "text fields=typed", "network": network, "hidden": (32,), "max_epochs": 20}
    model = Embedder(n_latent=4, recipe="ae", random_state=0, **options).fit(LINES * 4)
    wanted = [typed(line) for line in LINES]
    assert np.mean(model.reconstruct(LINES) == np.array(wanted, dtype=object)) > 0.8
    with pytest.raises(ValueError, match="network='gru' is unknown; choose 'mlp', 'conv', 'residual', or leave it out"):
        Embedder(n_latent=4, modality="text", network="gru").fit(LINES)


def test_the_report_marks_the_tokens_that_make_a_line_odd(fitted, tmp_path):
    odd = "12:00:11 cron[7]: job started for user nobody by (uid=0)"
    page = report.write(fitted, [*LINES, odd], tmp_path / "page.html").read_text()
    found = page[page.index("Least typical lines") :]
    first = found[found.index("<small>line 60: ") :]
    assert first.index("<mark> nobody</mark>") < first.index("</pre>")
    originals = page[page.index("Originals and reconstructions") :]
    assert "&lt;time&gt; " in originals and "Where they differ is marked" in originals


def test_the_denoising_recipe_masks_tokens():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Embedder(n_latent=2, recipe="ae Masking", max_epochs=1, hidden=(8,), random_state=0).fit(LINES)


def test_text_in_the_shell(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text("".join(f"{line}\n" for line in LINES))
    (tmp_path / "b.txt").write_text("".join(f"{line}\n" for line in LINES[:20]))
    for command in (
        "fit a.log --n-latent 2 --out run --max-epochs 2 --hidden 8 --modality text",
        "embed run --out codes.csv",
        "reconstruct run b.txt --out back.txt",
        "sample run -n 3 --out new.txt",
        "score run b.txt --out scores.csv",
        "report run",
        "compare b.txt --modality text --n-latents 2 --recipes ae --max-epochs 1 --hidden 8",
        "fit a.log --n-latent 2 --out other --max-epochs 2 --hidden 8",
    ):
        assert main(command.split()) == 0, (command, capsys.readouterr().err)
    assert len((tmp_path / "back.txt").read_text().splitlines()) == 20
    scores = pandas.read_csv("scores.csv")
    assert len(scores) == 20 and scores.iloc[0, 0] == "line 1"
    assert "lines of text" in (tmp_path / "run/report.html").read_text().lower()
