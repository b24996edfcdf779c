"""The smallest size that does as well as the best."""

import math

import pytest

from hourglass.comparison.recommendation import SizeResult, smallest_sufficient


def sizes(*errors: float, standard_error: float = 0.0) -> list[SizeResult]:
    return [SizeResult(2**k, error, standard_error) for k, error in enumerate(errors)]


@pytest.mark.parametrize(
    ("points", "chosen", "said"),
    [
        (sizes(0.5, 0.3, 0.1, 0.1), 4, "is the lowest"),
        (sizes(0.5, 0.3, 0.103, 0.1), 4, "within 5%"),
        (sizes(0.5, 0.3, 0.12, 0.1), 8, "still falls at 8"),
        (sizes(0.5, 0.3, 0.12, 0.1, standard_error=0.03), 4, "within one standard error"),
        (sizes(0.1, 0.2, 0.3), 1, "is the lowest"),
        (sizes(0.2), 1, "only size"),
    ],
)
def test_rule(points: list[SizeResult], chosen: int, said: str) -> None:
    size, reason = smallest_sufficient(points)
    assert size == chosen
    assert said in reason


def test_the_order_of_the_sizes_is_of_no_account() -> None:
    points = sizes(0.5, 0.3, 0.103, 0.1)
    assert smallest_sufficient(points[::-1]) == smallest_sufficient(points)


def test_silent_dimensions_are_mentioned() -> None:
    assert "3 of its 8 dimensions are active" in smallest_sufficient([SizeResult(8, 0.1, 0.0, 3.0)])[1]


def test_errors_that_nobody_knows_are_left_out():
    points = [SizeResult(1, math.nan, math.nan), SizeResult(2, 0.5, 0.01)]
    assert smallest_sufficient(points)[0] == 2
    with pytest.raises(ValueError, match="no error can be told of the held-out rows"):
        smallest_sufficient(points[:1])
