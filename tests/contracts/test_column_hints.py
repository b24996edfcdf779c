"""Columns that cannot be learned from are named all at once; those that are hardly meant as they stand get a hint."""

import datetime
import warnings

import numpy as np
import pandas
import pytest

from hourglass import Embedder, Tables
from hourglass.modalities.column_hints import DATE
from hourglass.modalities.columns import UnusableColumnsError

N = 400
RNG = np.random.default_rng(0)
NUMBERS = {"a": RNG.normal(size=N), "b": RNG.normal(size=N)}
DAYS = [datetime.date(2021, 1, 1) + datetime.timedelta(days=int(k)) for k in RNG.integers(0, 28, N)]


def said_of(table, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Tables(**options).infer(table)
    return [str(w.message) for w in caught]


# ---- declared columns that cannot be what they are declared ------------------------------------------------------


def test_a_declared_category_of_too_many_numbers():
    numbers = RNG.normal(size=1500)
    table = pandas.DataFrame({"x": numbers, "t": [f"n{k}" for k in range(1500)], "y": -numbers})
    with pytest.raises(UnusableColumnsError, match="'x' is declared a category and holds more than 1000") as raised:
        Tables(categories=("x", "t")).infer(table)
    assert raised.value.columns == ["x", "t"]
    assert str(raised.value).endswith("or leave out: ['x', 't']")


# ---- hints -------------------------------------------------------------------------------------------------------


FORMS = {
    "%d/%m/%Y": "dates; give modality=Tables(day_first=['day']) to",
    "%d.%m.%Y": "dates; give modality=Tables(day_first=['day']) to",
    "%m/%d/%y": "dates; give modality=Tables(month_first=['day']) to",
    "%Y/%m/%d %H:%M": "write all of them as 2024-12-31",
    "%d %b %Y": "write all of them as 2024-12-31",
    "%B %d, %Y": "write all of them as 2024-12-31",
}


@pytest.mark.parametrize(("form", "remedy"), FORMS.items())
def test_dates_in_texts(form, remedy):
    (hint,) = said_of(pandas.DataFrame(NUMBERS | {"day": [day.strftime(form) for day in DAYS]}))
    assert hint.startswith("column 'day' is taken for 28 categories") and remedy in hint


@pytest.mark.parametrize("text", ["1.2.3", "10.0.0.1", "2021", "12-34", "1/2", "A/B", "maybe 5", "3.14", "12:30"])
def test_texts_that_are_not_dates(text):
    assert not DATE.fullmatch(text)


@pytest.mark.parametrize(
    ("name", "levels", "is_code"),
    [
        ("store_code", [101, 102, 103, 104, 105, 106], True),
        ("type", [1, 2, 3], True),
        ("zip", [0, 10, 20], True),
        ("rating", [1, 2, 3, 4, 5], False),
        ("children", [0, 1, 2, 3], False),
        ("node", [1, 2, 3], False),
        ("height", [101.5, 102.5, 103.0], False),
        ("year", list(range(1950, 2020)), False),
    ],
)
def test_whole_numbers_that_may_be_codes(name, levels, is_code):
    table = pandas.DataFrame(NUMBERS | {name: RNG.choice(levels, N)})
    said = said_of(table)
    assert len(said) == is_code
    if is_code:
        assert f"'{name}' holds {len(levels)} different whole numbers" in said[0]
        assert f"give modality=Tables(categories=['{name}'])" in said[0]
        assert not said_of(table, categories=(name,))
    assert not said_of(table.to_numpy())  # the columns of an array have no names


def test_warnings_point_at_the_line_of_the_user():
    table = pandas.DataFrame(NUMBERS | {"type": RNG.choice([1, 2, 3], N)})
    model = Embedder(1, max_epochs=1, hidden=(4,), random_state=0)
    with pytest.warns(UserWarning, match="'type' holds 3") as caught:
        model.fit(table)
    assert {w.filename for w in caught} == {__file__}
    words = pandas.DataFrame(NUMBERS | {"k": ["x", "y"] * 200})
    model = Embedder(1, max_epochs=1, hidden=(4,), random_state=0).fit(words)
    with pytest.warns(UserWarning, match="not there at fit") as caught:
        model.transform(pandas.DataFrame(NUMBERS | {"k": "z"}))  # by way of scikit-learn
    assert {w.filename for w in caught} == {__file__}
