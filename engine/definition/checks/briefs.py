"""Whether briefs say something, and whether what they name can be shown there."""

from collections.abc import Iterator

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.forms.briefs import Brief, BriefList, holes
from engine.problems import Label, Problem

_ORDER = (
    "entities:\n"
    "  order: {fields: {name: text, parts: {type: children, of: part, by: order}}, briefs: {short: BRIEF}}\n"
    "  part: {part_of: order, fields: {name: text, order: {type: lookup, to: order, required: true, on_delete: cascade}}}\n"
)


def _with(brief: str) -> str:
    return _ORDER.replace("BRIEF", brief)


def _briefs(facts: Facts) -> Iterator[tuple[str, KeyPath, Brief]]:
    for name, entity in facts.definition.entities.items():
        for key, brief in entity.briefs.items():
            yield name, ("entities", name, "briefs", key), brief


class BriefEmpty(Check):
    """A brief that says nothing."""

    code = "brief-empty"
    wrong = _with("{label: Short}")
    repaired = _with("{label: Short, fields: name}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for _, path, brief in _briefs(facts):
            if not (brief.text or brief.fields or brief.lists or brief.notices or brief.gate):
                label = brief.label or Label.of(str(path[-1]))
                yield facts.problem(self.code, path, key=True, brief=label)


class BriefUnfit(Check):
    """A name in a brief that is known but cannot stand there."""

    code = "brief-unfit"
    wrong = _with("{fields: [name, parts]}")
    repaired = _with("{fields: name, lists: {parts: {of: parts}}}")

    _DEEP = Label("隔了不止一层引用", "is more than one link away")
    _MANY = Label("是一组相关记录", "is a collection of records")
    _STORED = Label("没有可以显示的值", "has no value to show")
    _SORT = Label("不能排序", "cannot be sorted by")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for entity, path, brief in _briefs(facts):
            for index, name in enumerate(brief.fields):
                yield from self._shown(facts, (*path, "fields", index), entity, name)
            for language in ("zh", "en") if brief.text else ():
                where: KeyPath = (*path, "text", language)
                if not facts.has(where):
                    if language == "en":
                        continue  # one text for both languages
                    where = (*path, "text")
                assert brief.text is not None
                for name, _ in holes(brief.text[language]):
                    yield from self._shown(facts, where, entity, name)
            for key, each in brief.lists.items():
                yield from self._list(facts, (*path, "lists", key), entity, each)

    def _list(self, facts: Facts, path: KeyPath, entity: str, each: BriefList) -> Iterator[Problem]:
        if each.of.count(".") > 1:
            yield self._unfit(facts, (*path, "of"), each.of, self._DEEP)
            return
        child = list_entity(facts, entity, each)
        if child is None:
            return
        for index, name in enumerate(each.columns):
            yield from self._shown(facts, (*path, "columns", index), child, name)
        for index, name in enumerate(each.sort):
            field = facts.field(child, name.removeprefix("-"))
            if field is not None and not (field.sortable and field.stored):
                yield self._unfit(facts, (*path, "sort", index), name, self._SORT)

    def _shown(self, facts: Facts, path: KeyPath, entity: str, name: str) -> Iterator[Problem]:
        *links, last = name.split(".")
        if len(links) > 1:
            yield self._unfit(facts, path, name, self._DEEP)
            return
        owner = facts.names.target(entity, links[0]) if links else entity
        if (links and links[0] in facts.names.relations.get(entity, {})) or (
            owner is not None and last in facts.names.relations.get(owner, {})
        ):
            yield self._unfit(facts, path, name, self._MANY)
        elif owner in facts.definition.entities:
            field = facts.field(owner, last)
            if field is not None and not field.stored:
                yield self._unfit(facts, path, name, self._STORED)

    def _unfit(self, facts: Facts, path: KeyPath, name: str, why: Label) -> Problem:
        return facts.problem(self.code, path, value=name, name=name, why=why)


class BriefIdle(Check):
    """A brief that asks for hints or for a gate where the entity has none."""

    code = "brief-idle"
    wrong = _with("{fields: name, gate: true}")
    repaired = _with("{fields: name}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for entity, path, brief in _briefs(facts):
            if brief.gate and entity not in facts.names.processes:
                yield self._idle(facts, (*path, "gate"), Label("没有流程", "there is no process"))
            if brief.notices and not facts.definition.entities[entity].notices:
                yield self._idle(facts, (*path, "notices"), Label("没有提示", "there are no notices"))

    def _idle(self, facts: Facts, path: KeyPath, why: Label) -> Problem:
        return facts.problem(self.code, path, key=True, name=str(path[-1]), why=why)


def list_entity(facts: Facts, entity: str, each: BriefList) -> str | None:
    """The entity of the records of a list; None where its collection is not known."""
    *links, last = each.of.split(".")
    owner = facts.names.target(entity, links[0]) if links else entity
    relation = facts.names.relations.get(owner, {}).get(last) if owner else None
    return relation[0] if relation else None
