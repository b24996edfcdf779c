"""Music: pieces on a grid, there and back note for note; windows of bars; keys."""

import numpy as np
import pytest
import torch

import hourglass
from hourglass import Embedder, datasets, readers
from hourglass.modalities import Music
from hourglass.modalities.music import InAnyKey
from hourglass.readers.music import Piece, Pieces, of_roll, read_midi, to_midi

TUNES = Pieces(datasets.load("toy_tunes").X[:12])
QUICK = {"max_epochs": 2, "hidden": (16,), "random_state": 0, "n_latent": 3}


def piece(*notes, ticks=4, **facts):
    notes = np.array(notes)
    return Piece(notes, ticks, int(notes[:, 2].max()), **facts)


def notes_of(pieces):
    return [one.notes[np.lexsort(one.notes.T[::-1])].tolist() for one in pieces]


def test_windows_put_together_are_the_pieces():
    modality = Music(bars=2).infer(TUNES)
    assert (modality.steps, modality.bar, modality.width) == (2, 8, 16)
    examples = modality.examples(TUNES)
    assert examples.rows().shape[1:] == modality.shape
    back = modality.stitch(examples, examples.rows(), TUNES)
    for one, other in zip(TUNES, back, strict=True):
        scaled = one.notes * [1, 2, 2] // [1, one.ticks, one.ticks]
        assert other.notes.tolist() == scaled.tolist() and (other.tempo, other.meter) == (one.tempo, one.meter)


def test_a_note_that_is_struck_again_is_two():
    one = piece([60, 0, 4], [60, 4, 8], [64, 0, 8])
    modality = Music(grid=4, bars=1).infer(Pieces([one, one]))
    examples = modality.examples([one])
    assert notes_of(modality.stitch(examples, examples.rows(), [one])) == notes_of([one])
    melody = Music(form="melody", grid=4, bars=1).infer(Pieces([piece([60, 0, 4], [60, 4, 6], [62, 8, 12])]))
    tune = [piece([60, 0, 4], [60, 4, 6], [62, 8, 12])]
    examples = melody.examples(tune)
    assert examples.rows()[0, 0, :12].tolist() == [2, 1, 1, 1, 2, 1, 0, 0, 4, 1, 1, 1]
    assert notes_of(melody.stitch(examples, examples.rows(), tune)) == notes_of(tune)


def test_what_is_written_as_midi_is_read_the_same(tmp_path):
    for one in TUNES:
        (tmp_path / "a.mid").write_bytes(to_midi(one))
        again, drums = read_midi(tmp_path / "a.mid")
        assert drums == 0 and (again.tempo, again.meter) == (one.tempo, one.meter)
        times = again.notes[:, 1:] * one.ticks / again.ticks
        assert np.array_equal(np.c_[again.notes[:, 0], times], one.notes)


def test_notes_beside_the_grid_are_counted():
    odd = piece([60, 0, 24], [62, 31, 40], [64, 48, 72], ticks=24)
    with pytest.warns(UserWarning, match="1 of 3 notes lie beside the grid of 1 steps a quarter, and are moved"):
        Music(grid=1).infer(Pieces([odd]))
    assert Music().infer(Pieces([piece([60, 0, 8], [62, 8, 16], [64, 16, 48], ticks=24)])).steps == 3


def test_drums_are_left_out_and_notes_that_are_one_are_said():
    both = piece([60, 0, 8], [60, 0, 4], [64, 0, 8])
    with pytest.warns(UserWarning, match="1 notes are one with another"):
        Music(grid=4).infer(Pieces([both]))
    with pytest.warns(UserWarning, match="5 notes of drums are left out"):
        Music().infer(Pieces(TUNES, drums=5))


def test_pieces_of_one_key_stay_in_it():
    assert Music().infer(TUNES).in_any_key
    home = Pieces([piece([60, 0, 4], [64, 4, 8], [65, 8, 12], [71, 12, 16])] * 4)
    assert not Music().infer(home).in_any_key and Music(transpose=True).infer(home).in_any_key


@pytest.mark.parametrize("planes", [1, 2])
def test_a_window_in_another_key_is_the_same_but_for_the_key(planes):
    torch.manual_seed(0)
    x = torch.zeros(200, 8 * planes, 3)
    for k in range(planes):
        x[:, 8 * k + 2, 0] = x[:, 8 * k + 4, 1] = 1.0
    moved = InAnyKey(8, planes, 6).training_view(x)
    lowest = moved[:, :8].any(2).int().argmax(1)
    assert set(lowest.tolist()) == {0, 1, 2, 3, 4, 5}
    assert torch.equal(moved.sum(1), x.sum(1))
    for one, low in zip(moved, lowest.tolist(), strict=True):
        assert all(one[8 * k + low, 0] and one[8 * k + low + 2, 1] for k in range(planes))
    with torch.no_grad():
        assert torch.equal(InAnyKey(8, planes, 6).training_view(x), x)


def test_melodies_in_another_key():
    torch.manual_seed(0)
    x = torch.tensor([[[0.0, 4, 1, 6, float("nan")]]]).expand(100, 1, 5)
    moved = InAnyKey(8, 0, 6).training_view(x)
    assert torch.equal(moved[:, 0, [0, 2]], x[:, 0, [0, 2]]) and bool(moved[:, 0, 4].isnan().all())
    assert bool((moved[:, 0, 3] - moved[:, 0, 1] == 2).all())
    assert set(moved[:, 0, 1].tolist()) == {2.0, 3.0, 4.0, 5.0, 6.0, 7.0}


@pytest.mark.parametrize("form", ["roll", "melody"])
def test_every_verb(form, tmp_path):
    model = Embedder(modality=f"music form={form}", **QUICK).fit(TUNES)
    assert len(model.transform(TUNES)) == len(model.examples(TUNES)) and model.score_samples(TUNES).shape == (12,)
    back = model.reconstruct(TUNES)
    assert isinstance(back, Pieces) and len(back) == 12
    assert all(isinstance(one, Piece) for one in model.sample(3, random_state=0))
    again = hourglass.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(TUNES), model.transform(TUNES))
    with pytest.raises(TypeError, match="no missing cells"):
        model.impute(TUNES)
    model = Embedder(modality=f"music form={form}", **QUICK).fit(TUNES, condition=["major", "minor"] * 6)
    assert len(model.sample(2, condition="minor")) == 2


def test_note_sets(tmp_path):
    (tmp_path / "a.json").write_text('{"train": [[[60, 64], [60], []]], "test": [[[62], [62, -1], [65]]]}')
    data = readers.read(tmp_path / "a.json")
    assert data.kind == "music" and data.names == ("train/0", "test/0") and data.labels.tolist() == ["train", "test"]
    assert data.X[0].notes.tolist() == [[60, 0, 2], [64, 0, 1]] and data.X[0].length == 3
    modality = Music(bars=1).infer(data.X)
    assert not modality.has_onsets and modality.shape == (6, 4)
    (tmp_path / "b.json").write_text('{"a": [[[60.5]]]}')
    with pytest.raises(ValueError, match=r"piece a/0, step 0 holds 60\.5; pitches are whole numbers below 128"):
        readers.read(tmp_path / "b.json")
    (tmp_path / "c.json").write_text('{"a": 1}')
    with pytest.raises(ValueError, match="holds no music"):
        readers.read(tmp_path / "c.json")


def test_a_folder_of_midi_files(tmp_path):
    for name, one in zip(("a/1.mid", "b/2.mid"), TUNES, strict=False):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(to_midi(one))
    (tmp_path / "b/3.mid").write_bytes(b"MThd broken")
    data = readers.read(tmp_path)
    assert data.names == ("a/1.mid", "b/2.mid") and data.labels.tolist() == ["a", "b"]
    assert "MIDI" in data.skipped[0][1] or "corrupt" in data.skipped[0][1]


@pytest.mark.parametrize(
    ("options", "message"), [({"form": "chord"}, "form='chord'"), ({"bars": 0}, "bars=0"), ({"grid": 1.5}, "grid=1.5")]
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        Music(**options)


def test_rolls_are_pieces():
    sounds = np.zeros((4, 128), dtype=bool)
    sounds[:3, 60] = sounds[3, 62] = True
    assert of_roll(sounds, None, 1).notes.tolist() == [[60, 0, 3], [62, 3, 4]]
