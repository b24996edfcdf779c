"""Numbers as people write them: read, and written as they came."""

import pytest

from hourglass.readers.notations import parse, read, write
from hourglass.readers.number_texts import read_numbers

WRITTEN = [
    (["€ 21,485.58", "€ 5.00"], [21485.58, 5.0], "€ #,###.00"),
    (["1.234,56", "0,50"], [1234.56, 0.5], "#.###,00"),
    (["12 %", "3.5 %"], [12, 3.5], "####.9 %"),
    (["(1,200.00)", "15.00"], [-1200, 15], "(#,###.00)"),
    (["-$5", "$1,000"], [-5, 1000], "$#,###"),
    (["€ -5,00", "€ 1.000,50"], [-5, 1000.5], "€ -#.###,00"),
    (["1,234", "5,678"], [1234, 5678], "#,###"),
    (["1,234", "5,6"], [1.234, 5.6], "####,999"),
    (["1 234,5", "12"], [1234.5, 12], "# ###,9"),
    (["1'234.50", "3.00"], [1234.5, 3], "#'###.00"),
    (["R$ 5,50", "R$ 1.234,50"], [5.5, 1234.5], "R$ #.###,00"),
    (["1\u202f234,50\u00a0€", "5,00\u00a0€"], [1234.5, 5], "#\u202f###,00\u00a0€"),
    (["USD 5", "USD 1,000,000"], [5, 1e6], "USD #,###"),
]


@pytest.mark.parametrize(("texts", "numbers", "notation"), WRITTEN)
def test_numbers_are_read_and_written_as_they_came(texts, numbers, notation):
    values, found = read(texts)
    assert values.tolist() == numbers and str(found) == notation
    assert parse(notation) == found
    assert write(values, notation).tolist() == texts


@pytest.mark.parametrize(
    "texts",
    [["007", "1,000"], ["192.168.1.1", "10.0.0.1"], ["1.2.3"], ["555 123 456", "555 123 457"], ["12 kg"], ["$1", "€2"],
     ["5", "12 %"], ["1,2,3"], ["110 00", "123 45"], ["(5"], ["5 apples"]],
)  # fmt: skip
def test_codes_and_mixtures_are_no_numbers(texts):
    assert read_numbers(texts) is None


@pytest.mark.parametrize(
    ("texts", "sure"), [(["1,234"], False), (["1,234,567"], True), (["$1,234"], True), (["1,5"], True), (["7"], True)]
)
def test_three_digits_behind_a_separator_are_thousands_and_may_not_be(texts, sure):
    assert read_numbers(texts)[1].sure == sure


def test_later_texts_are_read_as_the_first_ones():
    _, found = read_numbers(["1.234,56"])
    assert read_numbers(["1.234"], found)[0].tolist() == [1234]
    assert read_numbers(["1,234.5"], found) is None
    _, plain = read_numbers(["€ 5"])  # which shows no separator
    assert read_numbers(["€ 1,5"], plain)[0].tolist() == [1.5]
    merged = read_numbers(["5 €"])[1].merged(read_numbers(["1.000,5 €"])[1])
    assert str(merged) == "#.###,9 €"
    assert read_numbers(["5 €"])[1].merged(read_numbers(["5 $"])[1]) is None
