"""Files and frames -> arrays and tables, and back: what stands between the user's data and the rest of the package.

`read` takes a path, a folder, the name of a public data set or anything already in memory and returns a `Data`;
`ParquetStream` walks through a table that does not fit into memory; `write` is the way back, and leaves a file either
whole or as it was.
"""

from hourglass.readers.data import Data
from hourglass.readers.reading import read
from hourglass.readers.stream import ParquetStream, RowGroup
from hourglass.readers.writing import check_writable, write, write_chunks, written_whole

__all__ = ["Data", "ParquetStream", "RowGroup", "check_writable", "read", "write", "write_chunks", "written_whole"]
