import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from hourglass.training.machine import threads


def pools():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("n", [1, np.int64(1)])
def test_torch_and_numpy_run_with_as_many_threads_as_asked(n):
    before, pools_before = torch.get_num_threads(), pools()
    with threads(n) as got:
        assert got == torch.get_num_threads() == 1
        assert set(pools()) <= {1}
    assert torch.get_num_threads() == before
    assert pools() == pools_before


def test_none_keeps_what_is_set():
    with threads(None) as got:
        assert got == torch.get_num_threads()


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="n_threads=0 must be at least 1"), threads(0):
        pass
    with pytest.raises(TypeError, match=r"n_threads=2\.0 must be a whole number"), threads(2.0):
        pass
