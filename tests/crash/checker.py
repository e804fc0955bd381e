"""What must be true of a database whatever has happened to the processes that wrote it.

`Checker.faults` is empty, or names what is wrong in one line each.  It believes nothing that the write path keeps: each
record is told again from its journal, each computed value is computed again in SQL, each set of search words and matching
keys is made again from the values, each number is counted, each file is read, each stage is followed.

What clients asked for and what they were told stands in a `Ledger`, which is compared with the effects: a text that a
client made up for one request, its *mark*, is found once where the request was carried out, and nowhere else.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from engine.app import App, EntityApp
from engine.publishing.live import live_version
from engine.publishing.recompute import in_order, matched
from engine.publishing.survey import variables
from engine.publishing.versions import load_app
from engine.reading.searched import searched_fields
from engine.reading.tables import WholeTables
from engine.reading.totals import kept_totals
from engine.rules.duplicates import keys
from engine.storage import system
from engine.storage.database import Database
from engine.storage.files import Files
from engine.storage.schema import inspect
from engine.storage.search import search_tokens
from engine.storage.session import Read
from engine.storage.totals import ROWS, sum_of

MARK = "m-"
DERIVED = ("formula", "group")  # what the engine fills does not make another version
OWN = ("id", "version", "created_at", "created_by", "updated_at", "updated_by")


@dataclass
class Intent:
    """A request before it is sent. `marks` are the effects it asks for, in one transaction if `whole`.

    `status` is that of the answer; None: there was none, and nobody knows.  `count` names a counter that it raises by one.
    """

    key: str
    marks: tuple[str, ...] = ()
    whole: bool = True
    count: int | None = None
    status: int | None = None

    @property
    def acknowledged(self) -> bool:
        return self.status is not None and self.status < 300


def _only_told(row: Mapping[str, Any]) -> bool:
    """Whether a record has become one with another, and took no value of it."""
    return row["changes"] is None and (row["cause"] or "").startswith("merge:")


@dataclass
class Ledger:
    """Every intent, written down before its request is sent, and what was answered."""

    intents: list[Intent] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def intend(self, intent: Intent) -> Intent:
        with self.lock:
            self.intents.append(intent)
        return intent

    @property
    def acknowledged(self) -> int:
        return sum(intent.acknowledged for intent in self.intents)


class Checker:
    """One look at one app of a database that nobody is writing. `at` is the present, in microseconds."""

    def __init__(self, db: Database, app: str, files: Files, at: int) -> None:
        self.db, self.files, self.at = db, files, at
        with db.read() as read:
            stored = live_version(read, db, app)
        assert stored is not None
        self.app: App = load_app(stored)
        self.models = [model for model in self.app.entities.values() if not model.system]

    def faults(self, ledger: Ledger | None = None) -> list[str]:
        with self.db.read(snapshot=True) as read:
            self.rows = {model.name: self._rows(read, model) for model in self.models}
            self.journal = self._table(read, system.journal, system.journal.c.seq)
            self.stages = self._table(read, system.stage_log, system.stage_log.c.entered_at, system.stage_log.c.id)
            self.kept = self._table(read, system.file, system.file.c.id)
            found = [
                *self.sound(read),
                *self.told(),
                *self.computed(read),
                *self.searched(read),
                *self.numbered(read),
                *self.summed(read),
                *self.staged(),
                *self.linked(),
                *self.matching(read),
                *self.filed(),
            ]
            if ledger is not None:
                found += self.promised(read, ledger)
        return found

    # -- the database by itself -----------------------------------------------------------------------------------------

    def sound(self, read: Read) -> Iterator[str]:
        """The file or server finds itself in order, and every table is as the definition wants it."""
        if self.db.dialect == "sqlite":
            for name in ("integrity_check", "foreign_key_check"):
                answers = read.all(self.db.statement(sa.text(f"PRAGMA {name}")))
                if answers not in ([("ok",)], []):
                    yield f"{name}: {answers[:3]}"
        else:
            invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
            if count := read.scalar(self.db.statement(sa.text(invalid))):
                yield f"{count} invalid indexes"
        found = inspect(read, self.db.dialect)
        for model in self.models:
            missing = {column.name for column in model.table.columns} - set(found.tables.get(model.table.name, {}))
            if missing:
                yield f"{model.name} lacks {sorted(missing)}"

    def told(self) -> Iterator[str]:
        """Every record is what its journal tells, one version after the other, and the journal tells of no other."""
        tales: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
        for row in self.journal:
            if row["app"] == self.app.name:
                tales.setdefault((row["entity"], row["record"]), []).append(row)
        for model in self.models:
            skipped = {*OWN, *(computed.name for computed in model.computed.values() if not computed.stored)}
            for id, record in self.rows[model.name].items():
                tale = tales.pop((model.name, id), [])
                if not tale or tale[0]["action"] != "create":
                    yield f"{model.name} {id} has no beginning in the journal"
                    continue
                version, values = 0, dict.fromkeys(record)
                for row in tale:
                    if row["version"] == version + 1:
                        version += 1
                    elif not (row["version"] == version and (row["cause"] in DERIVED or _only_told(row))):
                        yield f"{model.name} {id}: version {row['version']} follows {version} in the journal"
                        version = row["version"]
                    for name, (old, new) in (orjson.loads(row["changes"]) if row["changes"] else {}).items():
                        if name in values and values[name] != old:
                            yield f"{model.name} {id}.{name}: the journal goes on from {old!r}, not from {values[name]!r}"
                        values[name] = new
                if version != record["version"]:
                    yield f"{model.name} {id} has version {record['version']}, its journal {version}"
                # Publishing computes the values of deleted records anew as well, of which nobody is told.
                anew = model.computed if record["deleted_at"] is not None and self.app.number > 1 else ()
                wrong = [
                    name for name in record if name not in skipped and name not in anew and values[name] != record[name]
                ]
                if wrong:
                    yield f"{model.name} {id}: {wrong} are not what the journal tells"
        for entity, id in tales:
            yield f"the journal tells of {entity} {id}, which does not exist"

    def computed(self, read: Read) -> Iterator[str]:
        """Every stored formula, rollup and score of a live record is what the database computes now."""
        tables, values = WholeTables(self.app), variables(self.app, self.at)
        for computed in in_order(self.app):
            model = self.app.entities[computed.entity]
            table = model.table
            if computed.score is None:
                assert computed.expression is not None
                wanted = computed.expression.to_sql(tables, table)
                query = sa.select(table.c.id).where(
                    table.c.deleted_at.is_(None), table.c[model.columns[computed.name]].is_distinct_from(wanted)
                )
            else:
                scored = computed.score.select(tables, table.alias("rows"))
                query = sa.select(table.c.id).where(
                    table.c.id == scored.c.id, table.c[model.columns[computed.name]].is_distinct_from(scored.c.score)
                )
            for (id,) in read.all(self.db.statement(query), values):
                yield f"{model.name} {id}.{computed.name} is not what it is computed from"

    def searched(self, read: Read) -> Iterator[str]:
        """Every record is found by the words that stand in it."""
        for model in self.models:
            names = searched_fields(self.app, model)
            table = model.table
            query = sa.select(table.c.id, table.c.search, *(table.c[model.columns[name]] for name in names))
            for id, words, *values in read.all(self.db.statement(query)):
                shown = (
                    model.fields[name].show(value)
                    for name, value in zip(names, values, strict=True)
                    if value is not None
                )
                known = words.split() if isinstance(words, str) else words or []
                if sorted(known) != sorted(search_tokens(shown)):
                    yield f"{model.name} {id} is not found by its words"

    def numbered(self, read: Read) -> Iterator[str]:
        """No number was given twice, and none was taken out of a counter without being given."""
        c = system.sequence.c
        counters: Counter[str] = Counter()
        for name, _, last in read.all(self.db.statement(sa.select(c.name, c.period, c.last))):
            counters[name] += last
        for model in self.models:
            for name, each in model.fields.items():
                if each.type != "autonumber":
                    continue
                given = [record[name] for record in self.rows[model.name].values()]
                if None in given:
                    yield f"{model.name} has records without {name}"
                twice = [number for number, count in Counter(given).items() if count > 1]
                if twice:
                    yield f"{model.name}.{name}: {twice} were given more than once"
                counted = counters[f"{self.app.name}.{model.table.name}.{name}"]
                if counted != len(given):
                    yield f"{model.name}.{name}: {len(given)} numbers were given, {counted} counted"

    def summed(self, read: Read) -> Iterator[str]:
        """The totals that are kept for boards are those of the records."""
        for model in self.models:
            for totals in kept_totals(self.app, model.name):
                kept, table = totals.table(model.table), model.table
                sums = [sum_of(name) for name in totals.sums]
                known = sa.select(
                    *(kept.c[name] for name in totals.dimensions),
                    *(sa.func.sum(kept.c[name]) for name in (ROWS, *sums)),
                )
                known = known.group_by(*(kept.c[name] for name in totals.dimensions)).having(
                    sa.func.sum(kept.c[ROWS]) != 0
                )
                true = sa.select(
                    *(table.c[name] for name in totals.dimensions),
                    sa.func.count(),
                    *(sa.func.coalesce(sa.func.sum(table.c[name]), 0) for name in totals.sums),
                )
                true = true.where(table.c.deleted_at.is_(None)).group_by(*(table.c[name] for name in totals.dimensions))
                if set(read.all(self.db.statement(known))) != set(read.all(self.db.statement(true))):
                    yield f"the totals of {model.name} are not the sums of its records"

    # -- records among each other ---------------------------------------------------------------------------------------

    def staged(self) -> Iterator[str]:
        """A record stands where its way has led, and each stretch of the way begins where the one before ended."""
        ways: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
        for row in self.stages:
            ways.setdefault((row["entity"], row["record"]), []).append(row)
        for model in self.models:
            if not model.processes:
                continue
            for id, record in self.rows[model.name].items():
                way = ways.get((model.name, id), [])
                here = [row for row in way if row["left_at"] is None]
                if [(row["stage"], row["entered_at"]) for row in here] != [
                    (record["stage"], record["stage_entered_at"])
                ]:
                    yield f"{model.name} {id} is at {record['stage']}, its way at {[row['stage'] for row in here]}"
                went = [(row["left_at"], row["stage"]) for row in way[:-1]]
                if went != [(row["entered_at"], row["came_from"]) for row in way[1:]]:
                    yield f"{model.name} {id}: its way is broken"

    def linked(self) -> Iterator[str]:
        """Whatever a live record points to exists, and is alive where deleting it would have done something about it."""
        for model in self.models:
            for id, record in self.rows[model.name].items():
                for name, target in model.lookups.items():
                    to = record.get(name)
                    if record["deleted_at"] is not None or to is None or target not in self.rows:
                        continue
                    other = self.rows[target].get(to)
                    rule = getattr(model.fields[name], "on_delete", None)
                    if other is None or (other["deleted_at"] is not None and rule in ("restrict", "cascade", "clear")):
                        yield f"{model.name} {id}.{name} points to {to}, which is gone"
            if model.group is not None:
                yield from self._grouped(model)

    def _grouped(self, model: EntityApp) -> Iterator[str]:
        assert model.group is not None
        parent, root = model.group.parent, model.group.root
        alive = {id: record for id, record in self.rows[model.name].items() if record["deleted_at"] is None}
        for id, record in alive.items():
            top, seen = id, {id}
            while (above := alive[top][parent]) in alive and above not in seen:
                seen.add(above)
                top = above
            if record[root] != top:
                yield f"{model.name} {id} is in the group of {record[root]}, not of {top}"

    def matching(self, read: Read) -> Iterator[str]:
        """Likely duplicates are found by the keys that their values have now."""
        k = system.match_key
        for model in self.models:
            by = matched(self.app, model)
            if not by:
                continue
            query = sa.select(k.c.record, k.c.key).where(k.c.entity == f"{self.app.name}.{model.name}")
            kept: dict[int, set[str]] = {}
            for record, key in read.all(self.db.statement(query)):
                kept.setdefault(record, set()).add(key)
            for id, record in self.rows[model.name].items():
                wanted = keys({name: record[name] for name in by}, by)
                if record["deleted_at"] is None and kept.get(id, set()) != set(wanted):
                    yield f"{model.name} {id} is not found by its matching keys"

    def filed(self) -> Iterator[str]:
        """Each row has its file with that content; each attached file stands in its field, and each field's files are attached."""
        known, listed = {row["id"]: row for row in self.kept}, set()
        for row in self.kept:
            try:
                with self.files.open(row["path"]) as content:
                    if hashlib.file_digest(content, "sha256").hexdigest() != row["sha256"]:
                        yield f"file {row['id']} has another content"
            except FileNotFoundError:
                yield f"file {row['id']} is not stored"
        for model in self.models:
            for name, each in model.fields.items():
                if each.value_type().kind != "files":
                    continue
                for id, record in self.rows[model.name].items():
                    for file in each.ids(record[name]):  # type: ignore[attr-defined]
                        listed.add(file)
                        row = known.get(file)
                        if row is None or (row["entity"], row["record"], row["field"]) != (model.name, id, name):
                            yield f"{model.name} {id}.{name} holds file {file}, which belongs elsewhere"
                        elif row["deleted_at"] is not None:
                            yield f"{model.name} {id}.{name} holds file {file}, which is deleted"
        for row in self.kept:
            if row["record"] is not None and row["deleted_at"] is None and row["id"] not in listed:
                yield f"file {row['id']} belongs to {row['entity']} {row['record']}, which does not hold it"

    def orphans(self) -> list[str]:
        """Stored files that no row knows: what a crash between the file and its row leaves for the sweep."""
        with self.db.read() as read:
            known = set(read.column(self.db.statement(sa.select(system.file.c.path))))
        return [path for path, _ in self.files.stored() if path not in known]

    # -- what was asked and answered --------------------------------------------------------------------------------------

    def promised(self, read: Read, ledger: Ledger) -> Iterator[str]:
        """What was acknowledged is there once, what was refused is not, and nothing is there that nobody asked for."""
        effects = self.effects()
        asked: set[str] = set()
        for intent in ledger.intents:
            asked.update(intent.marks)
            there = [mark for mark in intent.marks if effects[mark]]
            if intent.acknowledged and len(there) < len(intent.marks):
                yield f"{intent.key} was acknowledged and is lost"
            if intent.status is not None and not intent.acknowledged and there:
                yield f"{intent.key} was answered with {intent.status} and is there"
            if intent.whole and 0 < len(there) < len(intent.marks):
                yield f"{intent.key} is there by half"
            if intent.status is not None and intent.status >= 500 and intent.status != 503:
                yield f"{intent.key} was answered with {intent.status}"
        for mark, count in effects.items():
            if count > 1:
                yield f"{mark} is there {count} times"
            if mark not in asked:
                yield f"{mark} is there and nobody asked for it"
        yield from self._counted(ledger)
        i = system.idempotency
        open_keys = read.column(self.db.statement(sa.select(i.c.key).where(i.c.status.is_(None))))
        yield from (f"key {key} is kept without its answer" for key in open_keys)

    def effects(self) -> Counter[str]:
        """How often each mark was brought about: from the journal, the stages and the files."""
        found: Counter[str] = Counter()
        derived = {
            (model.name, name) for model in self.models for each in model.computed.values() for name in each.writes
        }
        for row in self.journal:
            if row["cause"] is not None and row["cause"].startswith("undo:"):
                found[row["cause"]] += 1
            if row["cause"] is None or row["cause"].startswith("import:"):
                for name, (_, new) in (orjson.loads(row["changes"]) if row["changes"] else {}).items():
                    if isinstance(new, str) and new.startswith(MARK) and (row["entity"], name) not in derived:
                        found[new] += 1
        found.update(row["reason"] for row in self.stages if (row["reason"] or "").startswith(MARK))
        found.update(row["name"] for row in self.kept if row["record"] is not None and row["name"].startswith(MARK))
        return found

    def _counted(self, ledger: Ledger) -> Iterator[str]:
        sure: Counter[int] = Counter()
        perhaps: Counter[int] = Counter()
        for intent in ledger.intents:
            if intent.count is not None:
                (sure if intent.acknowledged else perhaps)[intent.count] += intent.status is None or intent.acknowledged
        for id in {*sure, *perhaps}:
            value = (self.rows["order"].get(id, {}).get("margin") or 0) // 100
            if not sure[id] <= value <= sure[id] + perhaps[id]:
                yield f"order {id} was counted up {sure[id]} times and stands at {value}"

    # -- reading -----------------------------------------------------------------------------------------------------------

    def _rows(self, read: Read, model: EntityApp) -> dict[int, dict[str, Any]]:
        columns = [model.table.c[column] for column in model.columns.values()]
        found = (dict(zip(model.columns, row, strict=True)) for row in read.all(self.db.statement(sa.select(*columns))))
        return {record["id"]: record for record in found}

    def _table(self, read: Read, table: sa.Table, *order: Any) -> list[Mapping[str, Any]]:
        rows = read.all(self.db.statement(sa.select(table).order_by(*order)))
        return [dict(zip(table.c.keys(), row, strict=True)) for row in rows]
