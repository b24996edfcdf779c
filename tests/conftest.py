"""What all tests share: where the real data lie, if they are there."""

import os
from pathlib import Path

import pytest

# the data of the tests are tiny, where more threads only cost; before torch is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the public data sets; tests that need it are skipped where HOURGLASS_DATA does not name one."""
    folder = os.environ.get("HOURGLASS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the public data sets: set HOURGLASS_DATA to their folder")
    return Path(folder)
