"""Totals that are kept while records change, so that a board over a million records is read from a few rows.

A totals table holds, for each combination of values in some columns of a record table (its *dimensions*), how many live
records have it, and of each summed column the sum and how many values it has.  Triggers keep it true in the writing
transaction itself: no statement, whoever makes it, and no savepoint undone can leave it behind.

On SQLite, where there is one writer, each combination has one row that is counted up and down.  On PostgreSQL writers
would stand in line at that row, so they only ever append what they add and take away; readers sum, and now and then one
writer folds the rows that are there into one for each combination.  A row may therefore be negative; sums never are wrong.

    name  state   sealed | rows  sum$amount  count$amount
          open    false  |   12      345600            11
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from engine.storage.statement import DIALECTS, Dialect

ROWS = "rows"
_FOLDED = 500  # one of so many writing statements folds
_FORM = 1  # rises when tables or triggers are made differently: the old ones are then made anew


def sum_of(column: str) -> str:
    """The column of a totals table with the sum of a column of the records."""
    return f"sum${column}"


def count_of(column: str) -> str:
    """The column with the number of records whose value is not empty."""
    return f"count${column}"


@dataclass(frozen=True, slots=True)
class Totals:
    """What is kept: physical columns, in order of their names. `why` is shown in plans."""

    dimensions: tuple[str, ...]
    sums: tuple[str, ...]
    why: str = ""

    def name(self, table: str) -> str:
        """The same for the same totals. It goes with the record table as no other name does (see `is_totals`)."""
        said = repr((_FORM, table, self.dimensions, self.sums))
        return f"{table}$t{hashlib.sha256(said.encode()).hexdigest()[:6]}"

    def table(self, records: sa.Table) -> sa.Table:
        """The totals table; dimensions are named and typed as in the record table."""
        numbers = [name for column in self.sums for name in (sum_of(column), count_of(column))]
        return sa.Table(
            self.name(records.name),
            sa.MetaData(),
            *(sa.Column(name, records.c[name].type) for name in self.dimensions),
            # A sum of 64-bit numbers may need more bits, and a write must never fail for it.
            *(
                sa.Column(name, sa.Numeric().with_variant(sa.BigInteger(), "sqlite"), nullable=False)
                for name in (ROWS, *numbers)
            ),
        )


def is_totals(name: str, table: str) -> bool:
    """Whether a table of this name holds totals of the record table `table`."""
    return re.fullmatch(r"\$t[0-9a-f]{6}", name.removeprefix(table)) is not None and name.startswith(table)


def create_totals(totals: Totals, records: sa.Table, dialect: Dialect) -> list[str]:
    """The statements that make a totals table true and keep it so from then on."""
    made = _Making(totals, records, dialect)
    return list(made.sqlite() if dialect == "sqlite" else made.postgresql())


def drop_totals(name: str, records: str, dialect: Dialect) -> list[str]:
    """The statements that end the keeping of totals. The totals follow from the records, so nothing is lost."""
    quote = DIALECTS[dialect].identifier_preparer.quote
    triggers = [quote(f"{name}_{event}") for event in ("insert", "update", "delete")]
    if dialect == "sqlite":
        return [*(f"DROP TRIGGER IF EXISTS {each}" for each in triggers), f"DROP TABLE IF EXISTS {quote(name)}"]
    return [
        *(f"DROP TRIGGER IF EXISTS {each} ON {quote(records)}" for each in triggers),
        f"DROP FUNCTION IF EXISTS {quote(name)}()",
        f"DROP TABLE IF EXISTS {quote(name)}",
    ]


def fold(totals: Totals, records: sa.Table) -> str:
    """The statement that makes of all rows that are there one for each combination (PostgreSQL).

    Rows of transactions that are not yet committed are neither seen nor touched.
    """
    return _Making(totals, records, "postgresql").fold()


class _Making:
    """The text of statements; all names are quoted."""

    def __init__(self, totals: Totals, records: sa.Table, dialect: Dialect) -> None:
        self.quote = DIALECTS[dialect].identifier_preparer.quote
        self.dialect = dialect
        self.bare = totals.name(records.name)
        self.table = totals.table(records)
        self.name, self.base = self.quote(self.bare), self.quote(records.name)
        self.dimensions = [self.quote(name) for name in totals.dimensions]
        self.sums = [self.quote(name) for name in totals.sums]
        self.numbers = [
            self.quote(ROWS),
            *(self.quote(name) for column in totals.sums for name in (sum_of(column), count_of(column))),
        ]
        self.listed = ", ".join((*self.dimensions, *self.numbers))
        self.watched = [*dict.fromkeys((*self.dimensions, *self.sums, self.quote("deleted_at")))]

    def postgresql(self) -> Iterator[str]:
        live = " WHERE NEW.deleted_at IS NULL"
        # Once in a transaction: what it has folded stays in the way of the next fold until the transaction ends.
        folded = f"dougong.{self.bare.rpartition('$')[2]}"
        yield f"{self._table()} WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)"
        yield (
            f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
            f"IF TG_OP = 'INSERT' THEN {self._add(self._summed('now_there'))}; "
            f"ELSIF TG_OP = 'DELETE' THEN {self._add(self._summed('was_there', '-'))}; "
            f"ELSIF OLD.deleted_at IS NOT NULL THEN {self._add(self._single('NEW', '', live))}; "
            f"ELSIF NEW.deleted_at IS NOT NULL THEN {self._add(self._single('OLD', '-'))}; "
            f"ELSE {self._add(self._single('OLD', '-') + ' UNION ALL ' + self._single('NEW'))}; END IF; "
            f"IF random() * {_FOLDED} < 1 AND coalesce(current_setting('{folded}', true), '') = '' "
            f"AND pg_try_advisory_xact_lock(hashtext('{self.bare}')) THEN "
            f"PERFORM set_config('{folded}', 'yes', true); {self.fold()}; END IF; RETURN NULL; END $body$"
        )
        # Many rows of one statement are added up first; a change of one row looks at nothing where no column is watched.
        run = f"EXECUTE FUNCTION {self.name}()"
        yield self._trigger("insert", "INSERT", f"REFERENCING NEW TABLE AS now_there FOR EACH STATEMENT {run}")
        yield self._trigger("delete", "DELETE", f"REFERENCING OLD TABLE AS was_there FOR EACH STATEMENT {run}")
        yield self._trigger(
            "update", f"UPDATE OF {', '.join(self.watched)}", f"FOR EACH ROW WHEN ({self._moved()}) {run}"
        )
        yield self._fill()

    def sqlite(self) -> Iterator[str]:
        yield self._table()
        key = ", ".join(self._key())
        yield f"CREATE UNIQUE INDEX {self.quote(self.bare + '$key')} ON {self.name} ({key})"
        more = ", ".join(f"{name} = {name} + excluded.{name}" for name in self.numbers)
        into = f" ON CONFLICT ({key}) DO UPDATE SET {more};"
        gone = self._add(self._single("old", "-", " WHERE old.deleted_at IS NULL")) + into
        come = self._add(self._single("new", "", " WHERE new.deleted_at IS NULL")) + into
        yield self._trigger("insert", "INSERT", f"BEGIN {come} END")
        yield self._trigger("delete", "DELETE", f"BEGIN {gone} END")
        yield self._trigger(
            "update", f"UPDATE OF {', '.join(self.watched)}", f"WHEN {self._moved()} BEGIN {gone} {come} END"
        )
        yield self._fill()

    def fold(self) -> str:
        added = ", ".join((*self.dimensions, *(f"sum({name})" for name in self.numbers)))
        lasting = " OR ".join(f"sum({name}) <> 0" for name in self.numbers)
        rows = f"SELECT {added} FROM gone GROUP BY {', '.join(self.dimensions)} HAVING {lasting}"
        return f"WITH gone AS (DELETE FROM {self.name} RETURNING *) {self._add(rows)}"

    def _table(self) -> str:
        columns = (str(CreateColumn(column).compile(dialect=DIALECTS[self.dialect])) for column in self.table.columns)
        return f"CREATE TABLE {self.name} ({', '.join(columns)})"

    def _trigger(self, event: str, when: str, does: str) -> str:
        name = self.quote(f"{self.bare}_{event}")
        return f"CREATE TRIGGER {name} AFTER {when} ON {self.base} {does}"

    def _key(self) -> Iterator[str]:
        """The dimensions with a value that none has in place of empty ones: empty values differ from each other."""
        for column, name in zip(self.table.columns, self.dimensions, strict=False):
            yield f"coalesce({name}, {chr(39) * 2 if isinstance(column.type, sa.Text) else -(2**62)})"

    def _moved(self) -> str:
        differs = "IS DISTINCT FROM" if self.dialect == "postgresql" else "IS NOT"
        return " OR ".join(f"old.{name} {differs} new.{name}" for name in self.watched)

    def _add(self, rows: str) -> str:
        return f"INSERT INTO {self.name} ({self.listed}) {rows}"

    def _single(self, row: str, sign: str = "", where: str = "") -> str:
        """What one record adds, or with a minus takes away."""
        numbers = [f"{sign}1"]
        for name in self.sums:
            present = f"({row}.{name} IS NOT NULL)"
            numbers += [
                f"{sign}coalesce({row}.{name}, 0)",
                f"{sign}{present}" if self.dialect == "sqlite" else f"{sign}{present}::int",
            ]
        return f"SELECT {', '.join((*(f'{row}.{name}' for name in self.dimensions), *numbers))}{where}"

    def _summed(self, rows: str, sign: str = "") -> str:
        """What all live records of a table add."""
        numbers = [f"{sign}count(*)"]
        for name in self.sums:
            numbers += [f"{sign}coalesce(sum({name}), 0)", f"{sign}count({name})"]
        by = ", ".join(self.dimensions)
        return f"SELECT {by}, {', '.join(numbers)} FROM {rows} WHERE deleted_at IS NULL GROUP BY {by}"

    def _fill(self) -> str:
        return self._add(self._summed(self.base))
