"""What can go wrong in a database, as types that say what the caller may do about it.

Drivers raise dozens of their own exceptions; the two databases share these few.
"""

import errno

# A disk that takes no more: full, over somebody's share or the greatest size, read-only, broken.
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO))


class StorageError(Exception):
    """A statement failed. Every transaction it was part of has been undone."""


class UniqueViolation(StorageError):
    """Another row has the same values.

    `table` and `columns` are physical names; `constraint` is the index if the database names it, else None.
    """

    def __init__(self, table: str, columns: tuple[str, ...], constraint: str | None = None) -> None:
        self.table, self.columns, self.constraint = table, columns, constraint
        super().__init__(f"{table}({', '.join(columns)}) is not unique")


class IntegrityViolation(StorageError):
    """A constraint other than uniqueness refused the row."""


class TableMissing(StorageError):
    """A table that the statement names does not stand (any more)."""


class Conflict(StorageError):
    """The transaction met another one (deadlock, serialization); doing the whole of it again may succeed."""


class LockTimeout(StorageError):
    """Somebody else held the row, the table or the writer's turn for too long."""


class StatementTimeout(StorageError):
    """The statement ran longer than a statement may."""


class Unavailable(StorageError):
    """The database cannot be reached or cannot store (server gone, disk full)."""
