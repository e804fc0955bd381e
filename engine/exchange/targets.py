"""Finding what a link means: a name in a cell becomes the id of a record, of a person, of a team."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from engine.app import EntityApp
from engine.exchange.cells import literal
from engine.exchange.mapping import LookupBy
from engine.fields import Invalid
from engine.fields.lookup import parse_id
from engine.problems import Problem, Refused
from engine.runtime.bulk import New, create_many
from engine.runtime.work import Work
from engine.storage.statement import Statement, among

SHORTEST_ID = 15  # digits: shorter numbers are names of their own


class Targets:
    """What the texts of one column mean. What was found is remembered once the transaction that found it is durable."""

    def __init__(self, model: EntityApp, name: str, spec: LookupBy, promised: frozenset[str] = frozenset()) -> None:
        self.model, self.name, self.spec = model, name, spec
        self.entity = model.lookups[name]
        self.label = model.labels[name]
        self.promised = promised  # people that a rehearsal would have made
        self.known: dict[str, tuple[int, ...]] = {}
        self.made = 0

    def resolve(self, work: Work, texts: Iterable[str]) -> dict[str, tuple[int, ...] | Problem]:
        """Text -> the ids it may mean, or why it means none."""
        found: dict[str, tuple[int, ...] | Problem] = {}
        fresh: dict[str, Any] = {}
        other = work.app.entities[self.entity]
        by = self.spec.by or other.title
        for text in texts:
            if text in self.known:
                found[text] = self.known[text]
                continue
            try:
                fresh[text] = other.fields[by].read(text)
            except Invalid:
                found[text] = self.missing(text)
        if not fresh:
            return found
        hits: dict[Any, list[int]] = {}
        for id, value in work.w.all(
            self.statement(work, other, by), {**work.parameters, "values": sorted(set(fresh.values()))}
        ):
            hits.setdefault(value, []).append(id)
        lacking = []
        for text, value in fresh.items():
            ids = tuple(hits.get(value, ()))
            if ids:
                self.known[text] = found[text] = ids
            elif text.isdigit() and len(text) >= SHORTEST_ID:
                found[text] = (parse_id(text),)
            elif text in self.promised and work.principal.user is not None:
                found[text] = (work.principal.user,)
            else:
                lacking.append(text)
        if lacking:
            found |= (
                self.create(work, other, by, fresh, lacking)
                if self.spec.create
                else {text: self.instead(work, text) for text in lacking}
            )
        return found

    def statement(self, work: Work, other: EntityApp, by: str) -> Statement:
        view = work.lens.view

        def make() -> Statement:
            alias = view.tables.table(other.name)
            column = view.tables.column(alias, other.name, by)
            clauses: list[Any] = [among(column, "values"), view.tables.readable(alias, other.name)]
            if other.name == "user":
                clauses.append(alias.c.active.is_(True))
            return work.plans.db.statement(sa.select(alias.c.id, column).where(*clauses))

        found: Statement = view.kept(("named", other.name, by), make)
        return found

    def instead(self, work: Work, text: str) -> tuple[int, ...] | Problem:
        match self.spec.otherwise:
            case "empty":
                return ()
            case "me" if work.principal.user is not None:
                return (work.principal.user,)
            case _:
                return self.missing(text)

    def create(
        self, work: Work, other: EntityApp, by: str, values: Mapping[str, Any], texts: list[str]
    ) -> dict[str, tuple[int, ...] | Problem]:
        fixed = {name: literal(other.fields[name], value) for name, value in self.spec.set.items()}
        distinct = {values[text]: text for text in texts}
        try:
            made = create_many(work, other, [New({**fixed, by: value}) for value in distinct])
        except Refused as refused:
            return dict.fromkeys(texts, refused.problems[0])
        ids = dict(zip(distinct, made, strict=True))
        out: dict[str, tuple[int, ...] | Problem] = {}
        for text in texts:
            each = ids[values[text]]
            out[text] = (each.id,) if each.id is not None else each.problems[0]
        self.made += sum(1 for each in made if each.id is not None)
        return out

    def missing(self, text: str) -> Problem:
        return Problem("import-target-missing", self.name, {"label": self.label, "value": text[:60], "nearest": None})

    def ambiguous(self, text: str) -> Problem:
        return Problem("import-target-ambiguous", self.name, {"label": self.label, "value": text[:60]})
