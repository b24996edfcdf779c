"""The code on the pages is run as it stands there: a kind of data, a recipe and a task, each complete."""

import re
import shlex
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from hourglass import Embedder, load, modalities
from hourglass.cli import main
from hourglass.comparison import compare
from hourglass.readers import reading
from hourglass.training import machine
from hourglass.views import registry

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page, language="python"):
    """{name of the file in the first line, or a number: code} of a page."""
    found = re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    named = {}
    for i, code in enumerate(found):
        first = re.match(r"# (\w+/\w+\.py)\n", code)
        named[first[1] if first else i] = code
    return named


def module_of(code, name):
    """The code as an imported module, so that dataclasses find their annotations."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(code, name, "exec"), module.__dict__)
    return module


NAMES = ["anna", "hanna", "johanna", "maria", "mario", "marian", "lena", "helena", "elena", "otto", "oskar", "emma"]


@pytest.fixture(scope="module")
def kind():
    code = blocks("adding-a-kind-of-data.md")
    words, view, read = (module_of(code[f], f"toy_{f.split('/')[0]}") for f in code if isinstance(f, str))
    patch = pytest.MonkeyPatch()
    patch.setattr(modalities, "MODALITIES", modalities.MODALITIES)
    registries = {
        "MODALITIES": modalities.MODALITIES, "VIEWS": registry.VIEWS, "READERS": reading.READERS,
        "Words": words.Words, "view": view.view, "read": read.read,
    }  # fmt: skip
    for each in (modalities.MODALITIES, registry.VIEWS):
        patch.setitem(each, "words", None)
    patch.setitem(reading.READERS, (".words",), None)
    exec(next(c for f, c in code.items() if isinstance(f, int) and "MODALITIES" in c), registries)
    yield words
    patch.undo()


@pytest.fixture(scope="module")
def fitted(kind):
    return Embedder(
        n_latent=3, recipe="ae", modality="words", max_epochs=60, batch_size=12, hidden=(64,), random_state=0
    ).fit(NAMES * 10)


def test_the_kind_of_data_needs_three_files():
    code = blocks("adding-a-kind-of-data.md")
    assert [f for f in code if isinstance(f, str)] == ["modalities/words.py", "views/words.py", "readers/words.py"]


def test_a_kind_of_data_in_python(fitted, kind, tmp_path):
    from hourglass import report

    assert fitted.modality_.name == "words" and fitted.modality_.describe() == "words of at most 7 letters"
    codes = fitted.transform(NAMES)
    assert codes.shape == (12, 3)
    back = fitted.reconstruct(NAMES)
    assert back.shape == (12,) and np.mean(back == np.array(NAMES)) > 0.3
    assert len(fitted.sample(5, random_state=0)) == 5
    scores = fitted.score_samples(["anna", "maria", "xqzwv", "vvvvvvv"])
    assert scores[:2].min() > scores[2:].max()
    filled = fitted.impute(["ann_", "mari_", "otto"])
    assert filled[2] == "otto" and all(len(a) == b for a, b in zip(filled, (4, 5, 4), strict=True))
    assert "_" not in "".join(filled)
    fitted.save(tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.transform(NAMES), codes)
    page = report.write(fitted, NAMES * 3, tmp_path / "page.html")
    assert "words of at most 7 letters" in page.read_text().lower()
    assert fitted.summary_.baseline > fitted.summary_.reconstruction
    found = compare(NAMES * 10, recipes=["ae"], n_latents=[2], modality="words", max_epochs=3, hidden=(16,))
    assert found.recommended == 2
    with pytest.raises(ValueError, match=r"row 0: 'Anna' must be 1 to 12 letters"):
        fitted.transform(["Anna"])


def test_a_kind_of_data_in_the_shell(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("names.words").write_text("\n".join(NAMES * 5))
    quick = {"fit": "--max-epochs 3 --hidden 16", "compare": "--max-epochs 2 --hidden 16 --recipes ae"}
    commands = [line for code in blocks("adding-a-kind-of-data.md", "sh").values() for line in code.splitlines()]
    assert len(commands) == 7
    for command in commands:
        _, *words = shlex.split(command)
        assert main([*words, *shlex.split(quick.get(words[0], ""))]) == 0, (command, capsys.readouterr().err)
    assert len(Path("back.txt").read_text().splitlines()) == 60
    assert len(Path("new.txt").read_text().splitlines()) == 20
    assert Path("runs/names/report.html").exists()


def test_options_of_a_kind_of_data_in_words(kind):
    model = Embedder(n_latent=1, modality="words length=5", max_epochs=1, hidden=(8,))
    with pytest.raises(ValueError, match="must be 1 to 5 letters"):
        model.fit(NAMES)


def test_a_recipe_is_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = blocks("adding-a-recipe.md")
    recipe = module_of(code["variants/smooth.py"], "toy_smooth")
    use = dict(recipe.__dict__)
    exec(next(c for f, c in code.items() if isinstance(f, int)), use)
    assert "smoothness" in use["model"].history_[0]["train"]
    assert Path("runs/smooth/hourglass.json").exists()


def test_a_task_is_one_file(tmp_path):
    flagger = module_of(blocks("adding-a-task.md")["estimators/flagger.py"], "toy_flagger").Flagger
    X = np.random.default_rng(0).normal(size=(300, 1)) * [1.0, 2.0, -1.0] + 0.1
    model = flagger(n_latent=1, share=0.1, max_epochs=20, hidden=(8,), random_state=0).fit(X)
    assert model.get_params()["share"] == 0.1
    assert 0.0 < np.mean(model.predict(X) == -1) < 0.4
    assert model.predict([[5.0, -20.0, 9.0]]).tolist() == [-1]
    model.save(tmp_path)
    again = load(tmp_path, custom={"Flagger": flagger})
    assert type(again) is flagger
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="Flagger"):
        load(tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_anomalies_are_detected_as_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine, "MAX_EPOCHS", 2)
    monkeypatch.setattr(machine, "MIN_STEPS", 2)
    page = "detecting-anomalies.md"
    commands = [shlex.split(line, comments=True) for c in blocks(page, "sh").values() for line in c.splitlines()]
    for _, *words in commands:
        assert main(words) == 0, (words, capsys.readouterr().err)
    assert "customer" in Path("few.csv").read_text().splitlines()[0]
    use = {}
    for code in blocks(page).values():
        exec(code, use)
    assert len(use["table"]) == 1500 and set(use["labels"].tolist()) == {-1, 1} and len(use["why"]) == 3
