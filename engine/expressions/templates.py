"""SQL text for both databases: an element chooses its text when a statement is compiled for one of them.

These are the only elements of which the SQL of expressions is made.  An operand that a text uses twice is computed once,
in a subselect, so that nesting never multiplies the text.
"""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Template(FunctionElement[Any]):
    """SQL text with `{0}`, `{1}` … for its operands, one text for each database.

    `once`: an operand that the text has twice is computed in a subselect (never around the operand of an aggregate).
    """

    inherit_cache = False

    def __init__(
        self, sqlite: str, postgresql: str | None, *operands: Any, type_: Any = None, once: bool = True
    ) -> None:
        self.texts = {"sqlite": sqlite, "postgresql": sqlite if postgresql is None else postgresql}
        self.once = once
        self.type = type_ or sa.types.NULLTYPE
        super().__init__(*operands)


class Steps(FunctionElement[Any]):
    """`(WITH s1 AS MATERIALIZED (SELECT …), s2 AS MATERIALIZED (SELECT … FROM s1) SELECT result FROM s1, s2)`.

    Materialized, for SQLite would write a step out again wherever it is used.  PostgreSQL, whose parser is not so easily
    full, gets a step that is used once where it is used.
    """

    inherit_cache = False

    def __init__(self, names: list[str], sources: list[list[str]], *elements: Any, type_: Any) -> None:
        self.names, self.sources, self.type = names, sources, type_
        super().__init__(*elements)


@compiles(Template)
def _template(element: Template, compiler: SQLCompiler, **options: Any) -> str:
    text = element.texts[compiler.dialect.name]
    operands = list(element.clauses)
    parts = [compiler.process(operand, **options) for operand in operands]
    uses = [text.count(f"{{{index}}}") for index in range(len(parts))]
    if not element.once or not any(
        use > 1 and not _SIMPLE.fullmatch(part) for use, part in zip(uses, parts, strict=True)
    ):
        return text.format(*parts)
    barrier = " OFFSET 0" if compiler.dialect.name == "postgresql" else ""
    columns = ", ".join(f"{part} AS x{index}" for index, part in enumerate(parts))
    body = text.format(*(f"dg_q.x{index}" for index in range(len(parts))))
    # PostgreSQL would merge the subselect and write the operand out again, but for the OFFSET.
    return f"(SELECT {body} FROM (SELECT {columns}{barrier}) AS dg_q)"


# Costs nothing to compute twice: a column, a parameter, a number, a text without quotes.
_SIMPLE = re.compile(r"""[\w."%()\[\]:?-]{1,80}(::\w+)?|'[^']*'|CAST\((NULL|\w+) AS \w+\)|NULL""")


@compiles(Steps)
def _steps(element: Steps, compiler: SQLCompiler, **options: Any) -> str:
    texts = [compiler.process(each, **options) for each in element.clauses]
    sources = [list(names) for names in element.sources]
    names = list(element.names)
    if compiler.dialect.name == "postgresql":
        _put_in(names, sources, texts)
        if not names:
            return f"({texts[-1]})"
    *steps, result = texts
    *before, last = [f" FROM {', '.join(each)}" if each else "" for each in sources]
    listed = ", ".join(
        f"{name} AS MATERIALIZED (SELECT {step} AS v{source})"
        for name, step, source in zip(names, steps, before, strict=True)
    )
    return f"(WITH {listed} SELECT {result}{last})"


def _put_in(names: list[str], sources: list[list[str]], texts: list[str]) -> None:
    """Write steps that are used once where they are used. `texts` are those of the steps and, last, the result."""
    for name in list(names):
        place = names.index(name)
        used = re.compile(rf"\b{name}\.v\b")
        uses = [len(used.findall(text)) for text in texts]
        if sum(uses) != 1:  # names of steps further inside count, too: better once too often
            continue
        user = uses.index(1)
        texts[user] = used.sub(lambda _, text=texts[place]: f"({text})", texts[user])  # type: ignore[misc]
        sources[user] = sorted({*sources[user], *sources[place]} - {name})
        del names[place], sources[place], texts[place]


__all__ = ["Steps", "Template"]
