"""What damaged, foreign or misplaced files get: model folders, checkpoints of runs, tables and pictures."""

import json

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
import torch
from safetensors.torch import load_file, save_file

import hourglass
from hourglass import Embedder, ParquetStream, Tables
from hourglass.recipe import Term
from hourglass.storage import ModelFolderError, sealed
from hourglass.training import CheckpointError, DivergedError
from hourglass.variants import AE, VAE

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
FRAME = pandas.DataFrame({"load": X[:, 0], "kind": ["a", "b", "c", "d"] * 10, "flag": [0.0, 1.0] * 20})


def unfitted(**options):
    return Embedder(**{"n_latent": 2, "max_epochs": 2, "hidden": (6,), "n_threads": 1, "random_state": 0, **options})


@pytest.fixture(scope="module")
def table():
    return unfitted().fit(X)


# ---- model folders -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(table, tmp_path):
    return table.save(tmp_path / "model")


def weights_of(folder):
    (path,) = folder.glob("model-*.safetensors")
    return path


def about(folder):
    return json.loads((folder / "hourglass.json").read_text())


def edit(folder, **changes):
    (folder / "hourglass.json").write_text(json.dumps(sealed({**about(folder), **changes})))


def test_no_folder_and_a_folder_without_a_model(tmp_path):
    with pytest.raises(ModelFolderError, match=r"nowhere is not a folder, so there is no model to load"):
        hourglass.load(tmp_path / "nowhere")
    with pytest.raises(ModelFolderError, match=r"holds no hourglass\.json"):
        hourglass.load(tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    with pytest.raises(ModelFolderError, match=r"unfinished.*continue it with resume=True"):
        hourglass.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFolderError, match=r"file is not a folder"):
        hourglass.load(tmp_path / "file")


@pytest.mark.parametrize("name", ["model-*.safetensors", "hourglass.json"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_folder(name, share, folder):
    (path,) = folder.glob(name)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFolderError, match=rf"{path.name} is corrupt, or was not written by Hourglass"):
        hourglass.load(folder)


def test_weights_that_are_missing_or_foreign(folder):
    path = weights_of(folder)
    path.unlink()
    with pytest.raises(ModelFolderError, match=rf"{path.name} is missing"):
        hourglass.load(folder)
    torch.save({"a": torch.zeros(3)}, path)
    with pytest.raises(ModelFolderError, match=rf"{path.name} is corrupt, or was not written by Hourglass"):
        hourglass.load(folder)
    save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(ModelFolderError, match=rf"{path.name} is corrupt.*its digest is another"):
        hourglass.load(folder)


@pytest.mark.parametrize("content", ["[]", "3", "null", '{"model": 1}', '{"format": "x"}', "\udcff", "not json"])
def test_a_foreign_description(content, folder):
    (folder / "hourglass.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ModelFolderError, match=r"hourglass\.json is corrupt, or was not written by Hourglass"):
        hourglass.load(folder)


@pytest.mark.parametrize(
    ("number", "says"), [(99, r"a newer .*\(format 99; .*: update it"), (1, r"an older .*\(format 1; .*: fit .* again")]
)
def test_a_folder_of_another_version(number, says, folder):
    edit(folder, format=number)
    with pytest.raises(ModelFolderError, match=f"written by {says}"):
        hourglass.load(folder)


def test_a_stream_where_rows_are_needed(tmp_path):
    hourglass.readers.write(tmp_path / "rows.parquet", X)
    stream = hourglass.ParquetStream(tmp_path / "rows.parquet")
    with pytest.raises(TypeError, match=r"ParquetStream, which is for fit: here give its batches"):
        unfitted().fit(X).transform(stream)
    with pytest.raises(TypeError, match=r"call fit, then transform"):
        unfitted().fit_transform(stream)


def test_a_folder_mixed_from_two(folder, tmp_path):
    other = unfitted(random_state=1).fit(X).save(tmp_path / "other")
    weights_of(folder).write_bytes(weights_of(other).read_bytes())
    with pytest.raises(ModelFolderError, match=r"is corrupt.*its digest is another"):
        hourglass.load(folder)


def test_a_description_that_lost_a_part_or_does_not_fit_its_weights(folder):
    values = about(folder)
    for key in values.keys() - {"sha256"}:
        (folder / "hourglass.json").write_text(json.dumps(sealed({k: v for k, v in values.items() if k != key})))
        with pytest.raises(ModelFolderError, match=key):
            hourglass.load(folder)
    edit_of = {**values, "architecture": {**values["architecture"], "n_latent": 3}}
    (folder / "hourglass.json").write_text(json.dumps(sealed(edit_of)))
    with pytest.raises(ModelFolderError, match=r"does not describe a model of this version: the tensor .*shape"):
        hourglass.load(folder)


def near(trip, model):
    return trip.z.abs().sum(1)


def test_own_parts_not_passed_at_load(tmp_path):
    own = Term(near, name="contractoin")
    unfitted(recipe=AE.with_term(own)).fit(X).save(tmp_path)
    with pytest.raises(
        ModelFolderError,
        match=r"'contractoin'.*nearest: 'contraction'.*load\(folder, custom=\{'contractoin': \.\.\.\}\)",
    ):
        hourglass.load(tmp_path)
    assert hourglass.load(tmp_path, custom={"contractoin": own}).recipe_.terms[-1] == own


# ---- runs --------------------------------------------------------------------------------------------------------


def test_resuming_without_a_run():
    with pytest.raises(ValueError, match=r"resume=True needs run="):
        unfitted().fit(X, resume=True)


@pytest.mark.parametrize(
    ("options", "data", "says"),
    [
        ({}, X + 1.0, r"other data, another recipe or another network; resume with the same arguments"),
        ({}, X[:, :3], r"other data, another recipe or another network"),
        ({"recipe": "ae"}, X, r"other data, another recipe or another network"),
        ({"recipe": VAE.with_term(hourglass.variants.kl, weight=2.0)}, X, r"another recipe"),
        ({"hidden": (7,)}, X, r"another network"),
        ({"variance": 0.5}, X, r"another recipe or another network"),
        ({"max_epochs": 3}, X, r"max_epochs=2 \(now 3\); resume with the same settings"),
        ({"batch_size": 8}, X, r"batch_size=32 \(now 8\)"),
        ({"learning_rate": 0.5}, X, r"learning_rate=0\.001 \(now 0\.5\)"),
        ({"random_state": 1}, X, r"seed=\d+ \(now \d+\)"),
        ({"n_threads": 2}, X, r"n_threads=1 \(now 2\)"),
    ],
    ids=["data", "columns", "recipe", "weight", "hidden", "variance", "epochs", "batch", "rate", "seed", "threads"],
)
def test_resuming_with_other_data_or_settings(options, data, says, tmp_path):
    unfitted().fit(X, run=tmp_path)
    with pytest.raises(CheckpointError, match=says):
        unfitted(**options).fit(data, run=tmp_path, resume=True)


def test_a_checkpoint_that_is_none_damaged_or_newer(tmp_path):
    unfitted().fit(X, run=tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    content = path.read_bytes()
    for bad in (b"", content[: len(content) // 2], b"something else entirely"):
        path.write_bytes(bad)
        with pytest.raises(
            CheckpointError, match=r"checkpoint\.safetensors is corrupt, or was not written by Hourglass"
        ):
            unfitted().fit(X, run=tmp_path, resume=True)
    path.write_bytes(content)
    tensors = load_file(path)
    for values, says in (({"format": 99}, "checkpoint format 99, this"), ({}, "is corrupt"), ([1], "is corrupt")):
        save_file(tensors, path, {"hourglass": json.dumps(values)})
        with pytest.raises(CheckpointError, match=says):
            unfitted().fit(X, run=tmp_path, resume=True)
    # without resume the old checkpoint is of no interest
    assert unfitted().fit(X, run=tmp_path).summary_.epochs == 2


def test_resuming_where_there_is_nothing_yet_starts_anew(tmp_path):
    estimator = unfitted().fit(X, run=tmp_path / "new", resume=True)
    assert estimator.summary_.epochs == 2


def soon_nan(trip, model):
    return torch.full((len(trip.z),), torch.nan) if trip.z.requires_grad else trip.z.sum(1)


def test_a_loss_that_is_no_number_names_the_term_and_what_to_try():
    with pytest.raises(
        DivergedError, match=r"the term 'soon_nan' became nan in epoch 1, step 1: try a smaller learning"
    ):
        unfitted(recipe=AE.with_term(Term(soon_nan))).fit(X)


# ---- files -------------------------------------------------------------------------------------------------------


def test_files_that_are_not_there_or_damaged(tmp_path):
    with pytest.raises((OSError, ValueError), match=r"nothing\.csv"):
        unfitted().fit(tmp_path / "nothing.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match=r"broken\.parquet"):
        unfitted().fit(tmp_path / "broken.parquet")
    with pytest.raises(ValueError, match=r"broken\.parquet"):
        ParquetStream(tmp_path / "broken.parquet")


def test_streams_that_cannot_be(tmp_path):
    path = tmp_path / "data.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(FRAME), path)
    with pytest.raises(
        ValueError, match=r"condition='colour' is not a column of .*data\.parquet; it has load, kind, flag"
    ):
        unfitted().fit(ParquetStream(path), condition="colour")
    with pytest.raises(ValueError, match=r"holds tables, but pictures are needed"):
        unfitted(modality="images").fit(ParquetStream(path))
    with pytest.raises(ValueError, match=r"has no column 'colour'; it has load, kind, flag"):
        ParquetStream(path, ["colour"])


def test_numbers_too_large_for_float32_are_named():
    with pytest.raises(ValueError, match=r"column 'b', row 0 holds -1e\+300, beyond 1e\+37"):
        unfitted().fit(pandas.DataFrame({"a": np.arange(30.0), "b": [-1e300, 1.0, 2.0] * 10}))


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([f"p{k}" for k in range(40)], "an identifier"),
        ([f"{k},5" for k in range(39)] + ["n/k"], "look like numbers, such as '0,5'"),
        ([f"{k % 30}" for k in range(39)] + ["n/k"], "look like numbers"),
    ],
)
def test_texts_that_are_hardly_categories_are_noted(texts, says):
    with pytest.warns(UserWarning, match=says):
        Tables().infer(pandas.DataFrame({"t": texts, "x": np.arange(40.0)}))


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "array"])
def test_imputing_keeps_what_is_known_to_the_last_bit(kind):
    generator = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "phone": generator.integers(10**8, 10**9, 40),
            "money": np.exp(generator.normal(10, 2, 40)),
            "yes": [True, False] * 20,
            "job": ["cook", "nurse", None, "cook"] * 10,
        },
        index=[f"row{k}" for k in range(40)],
    )
    frame.loc["row3", "money"] = np.nan
    given = {
        "pandas": lambda: frame,
        "polars": lambda: polars.from_pandas(frame),
        "arrow": lambda: pyarrow.Table.from_pandas(frame, preserve_index=False),
        "array": lambda: frame[["phone", "money"]].to_numpy(),
    }[kind]()
    full = unfitted().fit(given).impute(given)
    if kind == "array":
        known = ~np.isnan(given)
        assert (full[known] == given[known]).all()
        assert np.isfinite(full).all()
        return
    assert type(full) is type(given)
    full = full if kind == "pandas" else full.to_pandas()
    assert full["phone"].dtype == np.int64
    assert full["yes"].dtype == bool
    assert not full.isna().any().any()
    for name in frame:
        known = frame[name].notna().to_numpy()
        assert full[name].to_numpy()[known].tolist() == frame[name].to_numpy()[known].tolist()
    assert kind != "pandas" or full.index.equals(frame.index)
