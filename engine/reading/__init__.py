"""The one way in which records are read: every surface asks a `Lens`, which knows what its principal may see.

List, record page, related list, search, export, count, chart, lookup choices, history and API all go through it.  A
field that is hidden from the principal does not exist for a lens; a field seen on some rows only is empty on the others,
also in filters, sorts and sums.  Statements are built once per published version, set of roles and shape of the question.
"""

from engine.reading.lens import Lens, Page, Reading
from engine.reading.query import Query

__all__ = ["Lens", "Page", "Query", "Reading"]
