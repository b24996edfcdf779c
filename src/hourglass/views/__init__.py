"""How examples look, one file for each kind of data: examples as an estimator gives them -> a form that can be drawn.

`plots` draws forms, `write` puts them into files. A kind of data of your own gets a view by a line in `VIEWS`.
"""

from hourglass.views.forms import Cells, Form, Lines, Pictures, Texts, Tiles
from hourglass.views.registry import VIEWS, view_of
from hourglass.views.writing import contact_sheet, ending_of, write

__all__ = [
    "VIEWS",
    "Cells",
    "Form",
    "Lines",
    "Pictures",
    "Texts",
    "Tiles",
    "contact_sheet",
    "ending_of",
    "view_of",
    "write",
]
