"""Whether an entity's fields can be named, numbered, deleted and shown as the definition says."""

import re
from collections.abc import Iterator

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.references import templates
from engine.definition.source import KeyPath
from engine.fields.children import ChildrenField
from engine.fields.lookup import LookupField
from engine.fields.text import INDEXED, TextLike
from engine.problems import Label, Problem


class LabelMissing(Check):
    """People see it, and Chinese or English lacks: a label in one language only, or none at all."""

    code = "label-missing"
    wrong = "label: {zh: 演示, en: Demo}\nentities: {order: {label: {zh: 订单, en: Order}, fields: {name: text}}}"
    repaired = "label: {zh: 演示, en: Demo}\nentities: {order: {label: {zh: 订单, en: Order}, fields: {name: {type: text, label: {zh: 名称, en: Name}}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, kind in self._seen(facts):
            value = facts.source.value((*path, "label"))
            if isinstance(value, dict) and value.get("zh") and value.get("en"):
                continue
            if isinstance(value, str) and value.isascii() and not re.search(r"[A-Za-z]{2}", value):
                continue  # a sign or an abbreviation, the same in both languages
            if isinstance(value, str):
                lacking = Label("英文", "English") if re.search(r"[\u3400-\u9fff]", value) else Label("中文", "Chinese")
            elif isinstance(value, dict):
                lacking = Label("英文", "English") if value.get("zh") else Label("中文", "Chinese")
            else:
                lacking = Label("中文和英文", "Chinese and English")
            at = (*path, "label") if value is not None else path
            yield facts.problem(
                self.code, at, key=value is None, severity="warning", thing=kind, name=str(path[-1]), lacking=lacking
            )

    @staticmethod
    def _seen(facts: Facts) -> Iterator[tuple[KeyPath, Label]]:
        d = facts.definition
        for name, entity in d.entities.items():
            yield ("entities", name), Label("实体", "entity")
            for field in entity.fields:
                yield ("entities", name, "fields", field), Label("字段", "field")
            for section in entity.sections:
                yield ("entities", name, "sections", section), Label("分区", "section")
            for brief in entity.briefs:
                yield ("entities", name, "briefs", brief), Label("速览", "brief")
        kinds = {
            "roles": Label("角色", "role"),
            "forms": Label("表单", "form"),
            "views": Label("列表", "list"),
            "homes": Label("首页", "home"),
            "processes": Label("流程", "process"),
            "scores": Label("评分", "score"),
        }
        for kind, label in kinds.items():
            for name in getattr(d, kind):
                yield (kind, name), label
        for name, process in d.processes.items():
            for stage in process.stages:
                yield ("processes", name, "stages", stage), Label("阶段", "stage")
        for name, score in d.scores.items():
            for term in score.terms:
                yield ("scores", name, "terms", term), Label("评分项", "term")


class TitleMissing(Check):
    code = "title-missing"
    wrong = "entities: {order: {fields: {amount: money}}}"
    repaired = "entities: {order: {fields: {amount: money, name: text}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            if facts.title(name) == "id" and not entity.number and not entity.part_of:
                yield facts.problem(
                    self.code,
                    ("entities", name),
                    key=True,
                    severity="warning",
                    entity=facts.entity_label(name),
                    value=name,
                )


class DeletionUnspoken(Check):
    code = "deletion-unspoken"
    wrong = "entities: {part: {fields: {name: text}}, order: {fields: {name: text, part: {type: lookup, to: part}}}}"
    repaired = "entities: {part: {fields: {name: text}}, order: {fields: {name: text, part: {type: lookup, to: part, on_delete: keep}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            for key, field in entity.fields.items():
                if isinstance(field, LookupField) and field.on_delete is None:
                    yield facts.problem(
                        self.code,
                        ("entities", name, "fields", key),
                        key=True,
                        severity="warning",
                        value=key,
                        field=facts.field_label(name, key),
                        target=facts.entity_label(field.to),
                    )


_TOKEN = re.compile(r"\{([^{}]*)\}")
_FIXED = {"yyyy", "yy", "mm", "dd", "seq"}


class NumberFieldOptional(Check):
    """A number is made when the record is created, from fields that are filled then."""

    code = "number-field"
    wrong = 'entities: {order: {number: "{region}-{seq:4}", fields: {name: text, region: text}}}'
    repaired = (
        'entities: {order: {number: "{region}-{seq:4}", fields: {name: text, region: {type: text, required: true}}}}'
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for entity, path, template in templates(facts.definition):
            fields = facts.definition.entities[entity].fields
            for found in _TOKEN.finditer(template):
                name = found[1].split(":")[0]
                if name in _FIXED:
                    continue
                field = fields.get(name)
                if field is None:
                    why = Label("没有这个字段", "there is no such field")
                elif not field.required and field.default is None and not field.derived:
                    why = Label("它可以为空", "it may be empty")
                else:
                    continue
                yield facts.problem(self.code, path, offset=found.start(1), value=name, name=name, why=why)


class NumberCollides(Check):
    """The sequence of a template starts anew with each of its dates; two periods must not give the same number."""

    code = "number-collides"
    wrong = 'entities: {order: {number: "{mm}-{seq:4}", fields: {name: text}}}'
    repaired = 'entities: {order: {number: "{yyyy}{mm}-{seq:4}", fields: {name: text}}}'

    def find(self, facts: Facts) -> Iterator[Problem]:
        for _, path, template in templates(facts.definition):
            tokens = {found[1].split(":")[0] for found in _TOKEN.finditer(template)}
            lacking = [
                token
                for token, needed in (("mm", "dd" in tokens), ("yyyy", bool(tokens & {"mm", "dd"})))
                if needed and token not in tokens
            ]
            if "yy" in tokens and "yyyy" in lacking:
                lacking.remove("yyyy")
            if lacking:
                missing = "".join("{" + token + "}" for token in reversed(lacking))
                yield facts.problem(self.code, path, offset=0, template=template, missing=missing)


class RelationBroken(Check):
    """Lookups, collections and groups that do not fit together."""

    code = "relation-broken"
    wrong = "entities: {order: {fields: {name: text, lines: {type: children, of: line, by: name}}}, line: {fields: {name: text, order: {type: lookup, to: order, on_delete: cascade}}}}"
    repaired = "entities: {order: {fields: {name: text, lines: {type: children, of: line, by: order}}}, line: {fields: {name: text, order: {type: lookup, to: order, on_delete: cascade}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        d = facts.definition
        inverses: dict[tuple[str, str], KeyPath] = {}
        for name, entity in d.entities.items():
            base: KeyPath = ("entities", name)
            for key, field in entity.fields.items():
                path = (*base, "fields", key)
                if isinstance(field, ChildrenField):
                    child, by = field.of, field.by
                    if child in d.entities and by in d.entities[child].fields and facts.names.target(child, by) != name:
                        yield self._problem(
                            facts,
                            (*path, "by"),
                            by,
                            Label(
                                f"它不是指向 {facts.entity_label(name).zh} 的关联字段",
                                f"it is no lookup to {facts.entity_label(name).en}",
                            ),
                        )
                if isinstance(field, LookupField) and field.inverse and field.to in d.entities:
                    target, inverse = field.to, field.inverse.name
                    first = inverses.setdefault((target, inverse), (*path, "inverse", "name"))
                    taken = d.entities[target].fields.get(inverse)
                    own = taken is not None and not (
                        isinstance(taken, ChildrenField) and (taken.of, taken.by) == (name, key)
                    )
                    if first != (*path, "inverse", "name") or own:
                        yield self._problem(
                            facts,
                            (*path, "inverse", "name"),
                            inverse,
                            Label(
                                f"{facts.entity_label(target).zh} 已有叫这个名字的",
                                f"{facts.entity_label(target).en} has one of that name already",
                            ),
                        )
            for setting in ("part_of",):
                value = getattr(entity, setting)
                if value in entity.fields and entity.fields[value].type != "lookup":
                    yield self._problem(facts, (*base, setting), value, Label("它不是关联字段", "it is no lookup"))
            if entity.group:
                for setting in ("parent", "root"):
                    value = getattr(entity.group, setting)
                    if value in entity.fields and facts.names.target(name, value) != name:
                        label = facts.entity_label(name)
                        yield self._problem(
                            facts,
                            (*base, "group", setting),
                            value,
                            Label(f"它不指向 {label.zh} 自己", f"it does not point to {label.en} itself"),
                        )
            for key, notice in entity.notices.items():
                if notice.on in entity.fields and entity.fields[notice.on or ""].type != "lookup":
                    yield self._problem(
                        facts,
                        (*base, "notices", key, "on"),
                        notice.on or "",
                        Label("它不是关联字段", "it is no lookup"),
                    )

    def _problem(self, facts: Facts, path: KeyPath, name: str, why: Label) -> Problem:
        return facts.problem(self.code, path, value=name, name=name, why=why)


class UniqueTooLong(Check):
    """Values that no two records share stand together in one entry of an index, which has room for so much and no more."""

    code = "unique-too-long"
    wrong = "entities: {order: {fields: {name: {type: text, max: 400}, place: {type: text, max: 400}}, unique: {once: [name, place]}}}"
    repaired = "entities: {order: {fields: {name: {type: text, max: 400}, place: {type: text, max: 200}}, unique: {once: [name, place]}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            for key, combination in entity.unique.items():
                texts = {
                    each: field.limit
                    for each in dict.fromkeys(combination)
                    if isinstance(field := entity.fields.get(each), TextLike)
                }
                if (length := sum(texts.values())) > INDEXED:
                    names = Label(
                        "、".join(facts.field_label(name, each).zh for each in texts),
                        ", ".join(facts.field_label(name, each).en for each in texts),
                    )
                    path = ("entities", name, "unique", key)
                    yield facts.problem(self.code, path, key=True, fields=names, length=length, most=INDEXED)


class WritesComputed(Check):
    """Something would write a field that only the engine's own rules fill."""

    code = "writes-computed"
    wrong = (
        "entities: {order: {fields: {name: text, amount: money, total: {type: money, formula: amount}}}}\nroles: {clerk: {}}\n"
        "policies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, update, transition]}}}\n"
        "processes: {flow: {entity: order, stages: {open: {}, done: {end: done, sets: {total: '5'}}}}}"
    )
    repaired = (
        "entities: {order: {fields: {name: text, amount: money, total: {type: money, formula: amount}}}}\nroles: {clerk: {}}\n"
        "policies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, update, transition]}}}\n"
        "processes: {flow: {entity: order, stages: {open: {}, done: {end: done, sets: {amount: '5'}}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for reference in facts.references:
            if (
                reference.kind != "field"
                or not reference.key
                or reference.owner is None
                or reference.path[0] == "sample"
            ):
                continue
            field = facts.definition.entities[reference.owner].fields.get(reference.name)
            if "match" in reference.path[:-1] and reference.path[2] == "duplicates":
                continue
            if field is not None and (field.derived or field.type in ("autonumber", "children")):
                yield facts.problem(
                    self.code,
                    reference.path,
                    key=True,
                    value=reference.name,
                    field=facts.field_label(reference.owner, reference.name),
                )
