"""Forms that everybody may answer: whether an answer can be saved, and whether it tells or takes more than it should."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.fields import Field, Invalid
from engine.fields.files import MEGABYTE, Attached
from engine.forms.colors import ENOUGH, WHITE, contrast, readable
from engine.forms.definition import Form
from engine.forms.public import Public
from engine.problems import Label, Problem
from engine.workflows.definition import Gate

LARGEST = 20 * MEGABYTE  # of one file that anybody may send
_ORDER = (
    "entities: {order: {fields: {name: {type: text, required: true}, source: {type: choice, required: true,"
    " options: {fair: Fair, web: Web}}, email: email, score: {type: integer, default: 1}}}}\nroles: {clerk: {}}\n"
    "policies: {clerk: {order: {rows: 'true', actions: [read, create]}}}\n"
)
_FORM = (
    _ORDER + "forms: {ask: {entity: order, sections: {main: {fields: [name, email]}}, public: {fill: {source: web}}}}"
)


def opened(facts: Facts) -> Iterator[tuple[str, Form, Public, KeyPath]]:
    """The public forms of entities that exist, each with the path of its `public`."""
    for name, form in facts.definition.forms.items():
        if form.public is not None and form.entity in facts.definition.entities:
            yield name, form, form.public, ("forms", name, "public")


def _closed(field: Field) -> Label | None:
    """Why nobody from outside may be asked for a field; None if he may."""
    if field.derived or field.type == "autonumber":
        return Label("它由系统填写", "the engine fills it")
    if field.readonly:
        return Label("它只读", "it is read-only")
    if field.type in ("lookup", "user", "team"):
        return Label("要选它就得把名单给人看", "choosing it would show the list to everybody")
    if field.type in ("children", "json"):
        return Label("它不是一个问题,而是一张表或一段数据", "it is a table or raw data, not a question")
    return None


class PublicFieldClosed(Check):
    """A public form asks for what nobody from outside may see or fill."""

    code = "public-field-closed"
    wrong = _FORM.replace("email: email", "email: email, keeper: user").replace(
        "[name, email]", "[name, email, keeper]"
    )
    repaired = _FORM.replace("email: email", "email: email, keeper: user")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, form, _, _ in opened(facts):
            for key, section in form.sections.items():
                for index, each in enumerate(section.fields):
                    field = facts.field(form.entity, each)
                    declared = each in facts.definition.entities[form.entity].fields
                    why = _closed(field) if field and declared else Label("它由系统填写", "the engine fills it")
                    if field is not None and why is not None:
                        yield facts.problem(
                            self.code,
                            ("forms", name, "sections", key, "fields", index),
                            value=each,
                            field=facts.field_label(form.entity, each),
                            why=why,
                        )


class PublicFormUnsaveable(Check):
    """What every record must have and no visitor can give: the form could be answered and never be saved."""

    code = "public-form-unsaveable"
    wrong = _FORM.replace("public: {fill: {source: web}}", "public: {}")
    repaired = _FORM

    def find(self, facts: Facts) -> Iterator[Problem]:
        for _, form, public, path in opened(facts):
            asked = set(form.fields)
            for key, field in facts.definition.entities[form.entity].fields.items():
                given = field.default is not None and field.dynamic_default not in ("user", "team")
                if not field.required or key in asked or given or field.derived or field.type == "autonumber":
                    continue
                for way in public.ways:
                    if key in public.fills(way):
                        continue
                    yield facts.problem(
                        self.code,
                        path if way is None else (*path, "channels", way),
                        key=True,
                        value=key,
                        field=facts.field_label(form.entity, key),
                        entity=facts.entity_label(form.entity),
                        way=Label("表单本身的地址", "the form's own address")
                        if way is None
                        else public.channels[way].label or Label.of(way),
                        name=key,
                    )
                    break  # what one way lacks, the others mostly lack too


class PublicFillUnfit(Check):
    """`fill` gives a field a value that it does not take, or that only a person could choose."""

    code = "public-fill-unfit"
    wrong = _FORM.replace("source: web", "source: webb")
    repaired = _FORM

    def find(self, facts: Facts) -> Iterator[Problem]:
        for _, form, public, path in opened(facts):
            fills: list[tuple[KeyPath, Mapping[str, Any]]] = [((*path, "fill"), public.fill)]
            fills += [((*path, "channels", key, "fill"), each.fill) for key, each in public.channels.items()]
            for at, values in fills:
                for key, value in values.items():
                    field = facts.definition.entities[form.entity].fields.get(key)
                    why = self._why(field, value, facts.field_label(form.entity, key)) if field is not None else None
                    if why is not None:
                        label = facts.field_label(form.entity, key)
                        yield facts.problem(
                            self.code, (*at, key), field=label, value=str(value)[:80], text=str(value)[:80], why=why
                        )

    @staticmethod
    def _why(field: Field, value: Any, label: Label) -> Label | None:
        if field.derived or field.type == "autonumber":
            return Label("它由系统填写", "the engine fills it")
        if field.type in ("lookup", "user", "team", "children") or isinstance(field, Attached):
            return Label(
                "它指向的记录或文件不写在定义里", "the records or files it points to are not in the definition"
            )
        try:
            if (field.read(value) if isinstance(value, str) else field.parse(value)) is None:
                return Label("它是空的", "it is empty")
        except Invalid as error:
            found = Problem(error.code, "", {"label": label, **error.parameters})
            return Label(found.message("zh").rstrip("。."), found.message("en").rstrip("."))
        return None


class PublicNotAsked(Check):
    """`required`, `prefill` or `questions` speak of a field that the form does not ask."""

    code = "public-not-asked"
    wrong = _FORM.replace("public: {", "public: {prefill: [score], ")
    repaired = _FORM.replace("public: {", "public: {prefill: [email], ")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for _, form, public, path in opened(facts):
            named: list[tuple[KeyPath, str]] = [
                ((*path, "required", at), each) for at, each in enumerate(public.required)
            ]
            named += [((*path, "prefill", at), each) for at, each in enumerate(public.prefill)]
            named += [((*path, "questions", each), each) for each in public.questions]
            for at, name in named:
                if name not in form.fields and facts.field(form.entity, name) is not None:
                    label = facts.field_label(form.entity, name)
                    yield facts.problem(self.code, at, value=name, key=at[-1] == name, field=label, name=name)


class PublicReveals(Check):
    """An answer that is refused because the value is there already tells everybody that it is."""

    code = "public-reveals"
    wrong = _FORM.replace("email: email", "email: {type: email, unique: true}")
    repaired = _FORM.replace("default: 1}}", "default: 1}}, duplicates: {match: {email: 100}, then: flag}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, form, _, path in opened(facts):
            entity, asked = facts.definition.entities[form.entity], set(form.fields)
            for key, section in form.sections.items():
                for index, each in enumerate(section.fields):
                    field = entity.fields.get(each)
                    if field is not None and field.unique:
                        yield self._problem(
                            facts, ("forms", name, "sections", key, "fields", index), form.entity, [each]
                        )
            for combination in entity.unique.values():
                if asked & set(combination):
                    yield self._problem(facts, path, form.entity, combination)
            if (
                entity.duplicates is not None
                and entity.duplicates.then == "refuse"
                and asked & set(entity.duplicates.match)
            ):
                yield self._problem(facts, path, form.entity, entity.duplicates.match)

    def _problem(self, facts: Facts, path: KeyPath, entity: str, fields: Any) -> Problem:
        labels = facts.listed(facts.field_label(entity, each) for each in fields)
        return facts.problem(self.code, path, key=isinstance(path[-1], str), fields=labels, value=", ".join(fields))


class PublicGate(Check):
    """What a stage asks of the people at work would be given by a stranger."""

    code = "public-gate"
    _STAGES = "processes: {flow: {entity: order, stages: {open: {exit: {fields: [email]}}, done: {end: done}}}}\n"
    wrong = _FORM.replace("[read, create]", "[read, create, update, transition]").replace("forms:", _STAGES + "forms:")
    repaired = wrong.replace("[name, email]", "[name]")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, form, _, _ in opened(facts):
            needed = {
                each: process.stages[stage].label or Label.of(stage)
                for process in facts.definition.processes.values()
                if process.entity == form.entity
                for stage, one in process.stages.items()
                for gate in (one.entry, one.exit)
                for each in self._needs(gate)
            }
            for key, section in form.sections.items():
                for index, each in enumerate(section.fields):
                    if each in needed:
                        yield facts.problem(
                            self.code,
                            ("forms", name, "sections", key, "fields", index),
                            severity="warning",
                            value=each,
                            field=facts.field_label(form.entity, each),
                            stage=needed[each],
                        )

    @staticmethod
    def _needs(gate: Gate | None) -> set[str]:
        return {*gate.fields, *gate.files} if gate else set()


class PublicFilesLoose(Check):
    """Files of any kind or of great size from anybody."""

    code = "public-files-loose"
    wrong = _FORM.replace("email: email", "email: email, plan: file").replace("[name, email]", "[name, plan]")
    repaired = wrong.replace("plan: file", "plan: {type: file, accept: [pdf], max_size: 10 MB}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, form, _, _ in opened(facts):
            for key, section in form.sections.items():
                for index, each in enumerate(section.fields):
                    field = facts.field(form.entity, each)
                    if isinstance(field, Attached) and (not field.endings or field.bytes_allowed > LARGEST):
                        yield facts.problem(
                            self.code,
                            ("forms", name, "sections", key, "fields", index),
                            value=each,
                            field=facts.field_label(form.entity, each),
                            most=f"{LARGEST // MEGABYTE} MB",
                        )


class PublicColorPale(Check):
    code = "public-color-pale"
    wrong = _FORM.replace("public: {", "public: {color: '#f5b301', ")
    repaired = _FORM.replace("public: {", "public: {color: '#8a6401', ")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for _, _, public, path in opened(facts):
            if public.color is not None and contrast(public.color, WHITE) < ENOUGH:
                near = readable(public.color)
                yield facts.problem(
                    self.code,
                    (*path, "color"),
                    patches=[facts.source.patch((*path, "color"), near, 0, len(near))],
                    value=public.color,
                    color=public.color,
                    ratio=f"{contrast(public.color, WHITE):.1f}",
                    nearest=near,
                )


class PublicNotInside(Check):
    """A public form says who gets it inside, or has tabs: inside nobody gets it, and it is one page."""

    code = "public-not-inside"
    wrong = _FORM.replace("public: {", "roles: clerk, public: {")
    repaired = _FORM

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, form, _, _ in opened(facts):
            for key, said in (("roles", bool(form.roles)), ("for", form.for_ != "both"), ("tabs", bool(form.tabs))):
                if said:
                    yield facts.problem(self.code, ("forms", name, key), key=True, value=key, name=key)
