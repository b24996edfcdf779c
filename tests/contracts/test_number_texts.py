"""Tables whose numbers are texts: learned as numbers, and given back as texts, from Python and from the shell."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from hourglass import Embedder, load
from hourglass.cli import main
from hourglass.modalities import Tables

rng = np.random.default_rng(0)
SIZE = rng.normal(size=120)
PRICE = np.exp(8 + SIZE).round(2)
FRAME = pd.DataFrame(
    {
        "price": [f"€ {p:,.2f}" for p in PRICE],
        "share": [f"{50 + 10 * s:.1f} %".replace(".", ",") for s in SIZE],
        "profit": [f"({abs(s):,.2f})" if s < 0 else f"{s:,.2f}" for s in 1000 * SIZE],
        "rate": np.where(SIZE > 0, "20 %", "10 %"),
        "size": SIZE,
    }
)
FRAME.loc[3, "price"] = None


@pytest.fixture(scope="module")
def model():
    return Embedder(2, hidden=(16,), max_epochs=3, random_state=0, n_threads=1).fit(FRAME)


def test_they_are_numbers_and_come_back_as_texts(model, tmp_path):
    kinds = {c.name: (c.kind, c.type.notation) for c in model.modality_.columns}
    assert kinds["price"] == ("numeric", "€ #,###.00")
    assert kinds["share"] == ("numeric", "####,0 %")
    assert kinds["rate"] == ("binary", "#### %")
    model.save(tmp_path)
    for estimator in (model, load(tmp_path)):
        drawn = estimator.sample(20, random_state=0)
        assert drawn.dtypes.tolist() == FRAME.dtypes.tolist()
        assert drawn.price.str.fullmatch(r"€ [0-9]{1,3}(,[0-9]{3})*\.[0-9]{2}").all()
        assert set(drawn.rate) <= {"10 %", "20 %"}
    filled = model.impute(FRAME)
    assert filled.price[3].startswith("€ ") and filled.drop(index=3).equals(FRAME.drop(index=3))
    given = model.sample(2, given={"price": "€ 12,000.00"}, random_state=0)
    assert given.price.tolist() == ["€ 12,000.00"] * 2


def test_plain_numbers_and_other_frames_are_the_same(model):
    Z = model.transform(FRAME)
    plain = FRAME.assign(price=np.where(np.arange(120) == 3, np.nan, PRICE))
    np.testing.assert_array_equal(model.transform(plain), Z)
    np.testing.assert_array_equal(model.transform(pl.from_pandas(FRAME)), Z)


def test_another_text_is_refused_with_its_place(model):
    with pytest.raises(ValueError, match=r"'price', row 5 holds 'dear' where there were numbers at fit, such as € "):
        model.transform(FRAME.assign(price=["€ 1.00"] * 5 + ["dear"] + ["€ 1.00"] * 114))


def test_declared_categories_stay_texts():
    columns = {c.name: c for c in Tables(categories=("rate",)).infer(FRAME).columns}
    assert columns["rate"].categories == ("10 %", "20 %")


def test_thousands_that_may_be_decimals_are_said():
    with pytest.warns(UserWarning, match=r"'n': texts such as '5,119' are taken for .* for 5119; if it is 5.119"):
        Tables().infer(pd.DataFrame({"n": [f"{5000 + i:,}" for i in rng.permutation(120)]}))


def test_in_chunks_as_in_one():
    whole, parts = Tables().infer(FRAME), Tables().infer(FRAME[k : k + 50] for k in (0, 50, 100))
    assert [(c.kind, c.type.notation) for c in whole.columns] == [(c.kind, c.type.notation) for c in parts.columns]


def test_from_the_shell(tmp_path):
    FRAME.to_csv(tmp_path / "in.csv", index=False)
    run = str(tmp_path / "run")
    words = ["fit", str(tmp_path / "in.csv"), "--out", run, "--max-epochs", "2", "--seed", "0"]
    assert main(words) == 0
    assert main(["impute", run, str(tmp_path / "in.csv"), "--out", str(tmp_path / "filled.csv")]) == 0
    filled = pd.read_csv(tmp_path / "filled.csv")
    assert filled.price[3].startswith("€ ") and filled.share.tolist() == FRAME.share.tolist()
    assert main(["sample", run, "--n", "5", "--given", "share=60,0 %", "--out", str(tmp_path / "drawn.csv")]) == 0
    assert pd.read_csv(tmp_path / "drawn.csv").share.tolist() == ["60,0 %"] * 5
