"""Named public data: where it comes from, its checksum, its licence. Nothing of it is packaged, but for what
is computed.

`load` finds the files in `$HOURGLASS_DATA`, else in the user's cache folder, else downloads them from their
public home.
"""

from hourglass.datasets.catalogue import load, names
from hourglass.datasets.dataset import Dataset
from hourglass.datasets.files import File, find, local_path

__all__ = ["Dataset", "File", "find", "load", "local_path", "names"]
