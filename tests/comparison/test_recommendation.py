"""The smallest size that does as well as the best."""

import pytest

from hourglass.comparison.recommendation import SizeResult, smallest_sufficient


def sizes(*nats: float, standard_error: float = 0.0) -> list[SizeResult]:
    return [SizeResult(2**k, each, standard_error) for k, each in enumerate(nats)]


@pytest.mark.parametrize(
    ("points", "chosen", "said"),
    [
        (sizes(8.0, 5.0, 0.0, 0.1), 4, "the fewest nats per example, 0.0 (10.0 without a code); every smaller"),
        (sizes(8.0, 5.0, 0.4, 0.0), 4, "its 0.4 nats per example (10.0 without a code) are within 0.5 of the fewest"),
        (sizes(8.0, 5.0, 0.6, 0.0), 8, "still fall at 8"),
        (sizes(8.0, 5.0, 0.6, 0.0, standard_error=0.7), 4, "within 0.7 of the fewest, 0.0 at 8"),
        (sizes(0.0, 1.0, 2.0), 1, "the fewest nats per example, 0.0 (10.0 without a code)."),
        (sizes(3.0), 1, "only size"),
        (sizes(-180.0, -190.0, -209.0, -210.0), 4, "within 11.0"),  # densities: only differences mean something
        (sizes(11.0, 10.5, 12.0), 2, "no size needs fewer nats than predicting without a code (10.5 and 10.0)"),
    ],
)
def test_rule(points: list[SizeResult], chosen: int, said: str) -> None:
    size, reason = smallest_sufficient(points, baseline=10.0)
    assert said in reason
    assert size == chosen


def test_the_order_of_the_sizes_is_of_no_account() -> None:
    points = sizes(8.0, 5.0, 0.4, 0.0)
    assert smallest_sufficient(points[::-1], 10.0) == smallest_sufficient(points, 10.0)


def test_the_unit_of_the_data_is_of_no_account() -> None:
    """Other units add one constant to all nats, the baseline's among them."""
    for shift in (-300.0, 300.0):
        points = [SizeResult(2**k, each + shift, 0.2) for k, each in enumerate((8.0, 5.0, 0.4, 0.0))]
        assert smallest_sufficient(points, 10.0 + shift)[0] == smallest_sufficient(sizes(8.0, 5.0, 0.4, 0.0), 10.0)[0]


def test_dimensions_not_in_use_are_mentioned() -> None:
    assert "3 of its 8 dimensions are active" in smallest_sufficient([SizeResult(8, 0.1, 0.0, 3.0)], 10.0)[1]


def test_without_a_figure_there_is_no_size() -> None:
    with pytest.raises(ValueError, match="nothing in the held-out data was known"):
        smallest_sufficient([], 10.0)
