"""Named public data: where it comes from, its checksum, its licence. Nothing of it is packaged.

`load` finds the files in `$HOURGLASS_DATA`, else in the user's cache folder, else downloads them from their
public home.
"""

from hourglass.datasets.catalogue import load, names
from hourglass.datasets.dataset import Dataset
from hourglass.datasets.files import File, at_hand, find

__all__ = ["Dataset", "File", "at_hand", "find", "load", "names"]
