"""A statement: SQLAlchemy Core compiled once into the driver's text and the order of its parameters.

Building and compiling an element costs a hundred times what running it costs, so it is done once per shape and
published version.  The text never depends on values: a list is one parameter (`among`), a search one more (`matches`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.functions import FunctionElement

Dialect = Literal["sqlite", "postgresql"]


class _Dialects(dict[Dialect, sa.Dialect]):
    """Each is loaded by whoever asks for it first: the one of PostgreSQL takes three megabytes."""

    def __missing__(self, name: Dialect) -> sa.Dialect:
        if name == "sqlite":
            from sqlalchemy.dialects import sqlite

            self[name] = sqlite.dialect(paramstyle="qmark")
        else:
            from sqlalchemy.dialects.postgresql import psycopg

            self[name] = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        return self[name]


DIALECTS: Final[Mapping[Dialect, sa.Dialect]] = _Dialects()
TRUTH: Final = {None: None, 0: False, 1: True}  # of a boolean as either database gives it
# One row whose values are the parameters in their order, and nothing else: `INSERT INTO t (a, b) VALUES (?, ?)`.
_PLAIN_INSERT: Final = re.compile(
    r"INSERT INTO (?P<into>\S+ \(.+?\)) VALUES \((?:(?:\?|\$\d+(?:::[A-Z ]+)?)(?:, (?!\))|(?=\))))+\)"
)

# Values of one record by its key: `UPDATE t SET a=?, b=? WHERE t.id = ?`.
_PLAIN_UPDATE: Final = re.compile(
    r"UPDATE (?P<table>\S+) SET (?P<columns>[^\s=]+=\?(?:, [^\s=]+=\?)*) WHERE (?P<key>(?P=table)\.\S+) = \?"
)


class Listed(sa.types.TypeEngine[Any]):
    """A parameter that is a list: one JSON text on SQLite, an array on PostgreSQL."""

    __visit_name__ = "null"


class Tokens(sa.types.UserDefinedType[Any]):
    """The column of search tokens: a text of words on SQLite, an array of texts on PostgreSQL."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TEXT"


@compiles(Tokens, "postgresql")
def _tokens_postgresql(element: Tokens, compiler: Any, **_: Any) -> str:
    return "TEXT[]"


class Query(sa.types.TypeEngine[Any]):
    """A parameter that is a list of tokens, all of which must occur."""

    __visit_name__ = "null"


class _Predicate(FunctionElement[bool]):
    """A condition of our own. SQLAlchemy would write `condition = 1` on SQLite, which no index serves."""

    type = sa.Boolean()

    def self_group(self, against: Any = None) -> Any:
        return self

    def _negate(self) -> Any:
        return UnaryExpression(self, operator=operators.inv, type_=self.type)


def compared(column: Any) -> Any:
    """The type of what a column is compared with: whole numbers may be larger than any that it holds."""
    return sa.BigInteger() if isinstance(column.type, sa.Integer) else column.type


class among(_Predicate):
    """`among(table.c.owner, "owners")`: the column equals an element of the list bound as `owners`."""

    inherit_cache = True
    name = "among"

    def __init__(self, column: Any, values: str) -> None:
        super().__init__(column, sa.bindparam(values, type_=Listed()))


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **options: Any) -> str:
    left, right = element.clauses
    kind = compiler.dialect.type_compiler_instance.process(compared(left))
    return f"({compiler.process(left, **options)} = ANY(({compiler.process(right, **options)})::{kind}[]))"


class matches(_Predicate):
    """`matches(alias, "words")`: the record's search tokens contain all those bound as `words` (see `storage.search`).

    With `other`, or else all those bound under that name; on SQLite, where one question to the index asks both, `words` is
    bound to the tokens of either, with None between them.
    """

    inherit_cache = False
    name = "matches"

    def __init__(self, table: sa.Table | sa.Alias, tokens: str, other: str | None = None) -> None:
        plain: Any = table.element if isinstance(table, sa.Alias) else table
        self.table: str = plain.name
        binds = [sa.bindparam(name, type_=Query()) for name in (tokens, other) if name is not None]
        super().__init__(table.c.id, table.c.search, *binds)


@compiles(matches, "sqlite")
def _matches_sqlite(element: matches, compiler: SQLCompiler, **options: Any) -> str:
    key, _, tokens, *_ = element.clauses
    index = compiler.preparer.quote(search_table(element.table))
    found = f"SELECT rowid FROM {index} WHERE {index} MATCH {compiler.process(tokens, **options)}"
    return f"({compiler.process(key, **options)} IN ({found}))"


@compiles(matches, "postgresql")
def _matches_postgresql(element: matches, compiler: SQLCompiler, **options: Any) -> str:
    _, column, *either = element.clauses
    found = (
        f"{compiler.process(column, **options)} @> ({compiler.process(each, **options)})::TEXT[]" for each in either
    )
    return f"({' OR '.join(found)})"


def hits(table: sa.Table) -> sa.TextClause:
    """How many records hold all of `words`, counting no further than `most` (SQLite)."""
    index = DIALECTS["sqlite"].identifier_preparer.quote(search_table(table.name))
    text = f"SELECT count(*) FROM (SELECT 1 FROM {index} WHERE {index} MATCH :words LIMIT :most)"
    return sa.text(text).bindparams(sa.bindparam("words", type_=Query()))


def holds(table: sa.Table | sa.Alias, count: int, name: str = "token") -> Any:
    """Like `matches`, looked up in the record itself: that its search words contain ` token0 `, ` token1 `, … (SQLite)."""
    words = sa.literal(" ") + sa.type_coerce(table.c.search, sa.Text()) + sa.literal(" ")
    return sa.and_(*(sa.func.instr(words, sa.bindparam(f"{name}{i}", type_=sa.Text())) > 0 for i in range(count)))


def search_table(table: str) -> str:
    """The full-text index beside a table on SQLite. No generated name holds a `$`, so it collides with none."""
    return f"{table}$search"


def array_literal(values: Iterable[Any]) -> str:
    """`{1,"a"}`: a PostgreSQL array as text."""
    return "{" + ",".join(_element(value) for value in values) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _tokens(tokens: Sequence[str] | None) -> str | None:
    """A PostgreSQL array of tokens, which are letters and digits alone."""
    return None if tokens is None else '{"' + '","'.join(tokens) + '"}' if tokens else "{}"


def _json_list(values: Iterable[Any] | None) -> str | None:
    return None if values is None else orjson.dumps(list(values)).decode()


def _array(values: Iterable[Any] | None) -> str | None:
    return None if values is None else array_literal(values)


def _query_sqlite(tokens: Sequence[str | None]) -> str:
    if None in tokens:
        at = tokens.index(None)
        return f"({_query_sqlite(tokens[:at])}) OR ({_query_sqlite(tokens[at + 1 :])})"
    return " ".join('"' + token.replace('"', '""') + '"' for token in tokens if token is not None) or '""'


def _query_postgresql(tokens: Sequence[str]) -> str:
    return array_literal(tokens or [""])


_ENCODE: Final[Mapping[Dialect, Mapping[type, Callable[[Any], Any]]]] = {
    "sqlite": {
        Listed: _json_list,
        Tokens: lambda tokens: " ".join(tokens) or None if tokens else None,
        Query: _query_sqlite,
    },
    "postgresql": {Listed: _array, Tokens: _tokens, Query: _query_postgresql},
}


class Statement:
    """Text for the driver, the names of its parameters in order, and the names of the columns it returns."""

    __slots__ = ("_encoders", "_fixed", "_take", "around", "booleans", "columns", "into", "names", "text")

    def __init__(
        self,
        text: str,
        names: Sequence[str] = (),
        columns: Sequence[str] = (),
        fixed: Mapping[str, Any] | None = None,
        encoders: Sequence[tuple[str, Callable[[Any], Any]]] = (),
        booleans: Sequence[int] = (),
        into: str | None = None,
        around: tuple[str, str] | None = None,
    ) -> None:
        self.text = text
        self.into = into  # `t (a, b)` of an insert that has one parameter for each column and nothing else
        self.around = around  # SQLite: what stands before and after the rows `(?, ?), (?, ?)` where one text does many
        self.names = tuple(names)
        self.columns = tuple(columns)
        self.booleans = tuple(booleans)  # SQLite returns 0 and 1 in these columns
        self._fixed = dict(fixed or {})
        encoder = dict(encoders)
        self._encoders = tuple((place, encoder[name]) for place, name in enumerate(self.names) if name in encoder)
        self._take = _taker(self.names)

    def bind(self, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """The parameters in the order of the text. Raises KeyError for one that is missing."""
        values = self._take({**self._fixed, **parameters} if self._fixed else parameters)
        if not self._encoders:
            return values
        encoded = list(values)
        for place, encode in self._encoders:
            encoded[place] = encode(encoded[place])
        return encoded

    def truthful(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """The row with True and False in its boolean columns."""
        out = list(row)
        for index in self.booleans:
            out[index] = TRUTH[out[index]]
        return tuple(out)

    def __repr__(self) -> str:
        return f"Statement({self.text!r})"


def _taker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if not names:
        return lambda _: ()
    if len(names) == 1:
        (name,) = names
        return lambda parameters: (parameters[name],)
    return itemgetter(*names)


def compile_statement(element: sa.ClauseElement, dialect: Dialect) -> Statement:
    """Compile `element`. Its named parameters (`bindparam("x")`) stay open; values inside it become fixed ones."""
    compiled = element.compile(dialect=DIALECTS[dialect])
    if not isinstance(compiled, SQLCompiler):
        return Statement(str(compiled))
    required = {key for key, bind in compiled.binds.items() if bind.required}
    # Expands `in_([...])`, whose text depends on how many values it has.
    expanded = compiled.construct_expanded_state(dict.fromkeys(required))
    names = tuple(expanded.positiontup or ())
    fixed = {key: value for key, value in expanded.parameters.items() if key in names and key not in required}
    encoders = [
        (name, _ENCODE[dialect][type(compiled.binds[name].type)])
        for name in dict.fromkeys(names)
        if name in compiled.binds and type(compiled.binds[name].type) in _ENCODE[dialect]
    ]
    results = compiled._result_columns
    booleans = (
        [i for i, column in enumerate(results) if isinstance(column.type, sa.Boolean)] if dialect == "sqlite" else []
    )
    columns = [column.name for column in results]
    text = expanded.statement
    around = _around(text) if dialect == "sqlite" else None
    return Statement(text, names, columns, fixed, encoders, booleans, _filled(text, names), around)


def _around(text: str) -> tuple[str, str] | None:
    """What makes a plain insert or update one statement for many rows; None for any other."""
    if found := _PLAIN_INSERT.fullmatch(text):
        return f"INSERT INTO {found['into']} VALUES ", ""
    if found := _PLAIN_UPDATE.fullmatch(text):
        columns = [column.removesuffix("=?") for column in found["columns"].split(", ")]
        values = ", ".join(f"{column} = v.column{place}" for place, column in enumerate(columns, start=1))
        key = f"{found['key']} = v.column{len(columns) + 1}"
        return f"UPDATE {found['table']} SET {values} FROM (VALUES ", f") AS v WHERE {key}"
    return None


def _filled(text: str, names: Sequence[str]) -> str | None:
    """The table and columns that a plain insert fills; None where a parameter stands twice or more is said than values."""
    found = _PLAIN_INSERT.fullmatch(text)
    return found["into"] if found and found["into"].count(",") + 1 == len(names) == len(set(names)) else None
