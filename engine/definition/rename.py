"""Renaming a thing in the text: its key, a `was:`, and every mention of it, each by the smallest edit.

The text is patched, never written anew: comments, order and untouched lines stay as they are, byte for byte.
Expressions are patched at the names that mean the thing; a field of the same name elsewhere is left alone.
"""

import re
from collections.abc import Iterator
from typing import Literal

from engine.definition.check import Checked
from engine.definition.formulas import Resolver
from engine.definition.parse import Branch, Text
from engine.definition.references import references, templates
from engine.definition.source import KeyPath, Source
from engine.expressions import Expression
from engine.expressions.tree import Call, Const, Follow, Name, walk
from engine.problems import Patch, Place

Kind = Literal["entity", "field", "option", "role", "stage", "process", "section", "transition", "kind"]


def rename(checked: Checked, kind: Kind, name: str, to: str, owner: str | None = None) -> dict[str, str]:
    """The package's files with a thing renamed, those that do not change included.

    `owner` is the entity of a field or section, `entity.field` of an option, the process of a stage or transition.
    The definition must have a shape.  Raises KeyError when there is no such thing.
    """
    assert checked.definition is not None
    return applied(checked.source, _Rename(checked, kind, name, to, owner).patches())


def applied(source: Source, patches: list[Patch]) -> dict[str, str]:
    """The files of a package after all patches, none of which may overlap."""
    files = dict(source.files)
    for name, text in files.items():
        starts = [0]
        for line in text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        own = {
            (patch.place.line, patch.place.column): patch
            for patch in patches
            if patch.place.file == source.prefix + name
        }
        for (row, column), patch in sorted(own.items(), reverse=True):
            at = starts[row - 1] + column - 1
            text = text[:at] + patch.text + text[at + patch.length :]
        files[name] = text
    return files


class _Rename:
    def __init__(self, checked: Checked, kind: Kind, name: str, to: str, owner: str | None) -> None:
        assert checked.definition is not None
        self.checked, self.kind, self.name, self.to, self.owner = checked, kind, name, to, owner
        self.source, self.definition = checked.source, checked.definition
        self.resolver = Resolver(checked.source, checked.definition)

    def patches(self) -> list[Patch]:
        at = self._thing()
        found = [self._key(at), *self._was(at), *self._named(), *self._written()]
        return [patch for patch in found if patch is not None]

    def _thing(self) -> KeyPath:
        """Where the thing is defined."""
        owner = self.owner or ""
        path: KeyPath
        match self.kind:
            case "field":
                path = ("entities", owner, "fields", self.name)
            case "section":
                path = ("entities", owner, "sections", self.name)
            case "option":
                path = ("entities", *_split(owner), "options", self.name)
            case "stage":
                path = ("processes", owner, "stages", self.name)
            case "transition":
                path = ("processes", owner, "transitions", self.name)
            case "entity":
                path = ("entities", self.name)
            case "process":
                path = ("processes", self.name)
            case _:
                path = (f"{self.kind}s", self.name)
        if self.source.entry(path)[1] != path:
            raise KeyError(".".join(map(str, path)))
        return path

    def _key(self, path: KeyPath) -> Patch | None:
        entry, found = self.source.entry(path)
        if entry is None or found != path or entry[1] is None:
            return None
        text, event, _ = entry
        return Patch(
            self.source.place(path, key=True), event.end_mark.index - event.start_mark.index, _written(text, self.to)
        )

    def _was(self, path: KeyPath) -> Iterator[Patch]:
        """`was: old` as the first key of the thing; a short form becomes a map."""
        if self.kind in ("section", "transition", "kind"):
            return  # they hold no data
        entry, _ = self.source.entry(path)
        assert entry is not None
        text, _, child = entry
        was = f"{_written(text, 'was')}: {_written(text, self.name)}"
        if isinstance(child, Branch) and isinstance(child.data, dict):
            if "was" in child.data:
                return  # it had another name before, which is the one that the live version knows
            start = child.event.start_mark
            place = Place(text.name, start.line + 1, start.column + 1)
            if self.kind == "option" and child.data and set(child.data) <= {"zh", "en"}:
                # The map is the label itself.
                yield Patch(place, 0, f"{{{was}, {_written(text, 'label')}: ")
                last = list(child.entries.values())[-1][2].end_mark
                close = text.text.index("}", last.index)
                yield Patch(Place(text.name, last.line + 1, last.column + 1 + close - last.index), 1, "}}")
            elif child.event.flow_style:
                comma = ", " if child.data else ""
                yield Patch(Place(place.file, place.line, place.column + 1), 0, was + comma)
            else:
                yield Patch(place, 0, was + "\n" + " " * start.column)
        elif not isinstance(child, Branch):
            start, end = child.start_mark, child.end_mark
            raw = text.text[start.index : end.index]
            setting = _written(text, "type" if self.kind == "field" else "label")
            empty = not raw.strip()
            instead = f" {{{was}}}" if empty else f"{{{was}, {setting}: {raw}}}"
            yield Patch(Place(text.name, start.line + 1, start.column + 1), end.index - start.index, instead)

    def _named(self) -> Iterator[Patch | None]:
        """Names outside expressions."""
        for reference in references(self.definition, self.resolver.names):
            kind = "field" if reference.kind in ("slot", "relation") else reference.kind
            if kind != self.kind or reference.name != self.name:
                continue
            if reference.owner is not None and not self._owns(reference.kind, reference.owner):
                continue
            if reference.key:
                yield self._key(reference.path)
            else:
                path = self.source.entry(reference.path)[1]
                yield self.source.patch(path, self.to, reference.offset, len(self.name))
        if self.kind == "field":
            for entity, path, template in templates(self.definition):
                if entity == self.owner:
                    for token in re.finditer(rf"\{{({re.escape(self.name)})[}}:]", template):
                        yield self.source.patch(path, self.to, token.start(1), len(self.name))

    def _owns(self, kind: str, owner: str) -> bool:
        if kind == "transition":
            return self.owner is not None and self.definition.processes[self.owner].entity == owner
        if kind == "process":
            return True
        return owner == self.owner

    def _written(self) -> Iterator[Patch | None]:
        """Names inside expressions."""
        for site in self.resolver.sites.values():
            expression = self.checked.expressions.get(site.key)
            if expression is None:
                continue
            for offset, length in sorted(set(self._mentions(expression))):
                if offset < site.prefix:
                    continue  # that stands as a key, and is renamed there
                where = self.source.entry(site.source or site.path)[1]
                yield self.source.patch(where, self.to, offset - site.prefix, length)

    def _mentions(self, expression: Expression) -> Iterator[tuple[int, int]]:
        if self.kind == "field":
            for mention in expression.mentions:
                if (mention.entity, mention.name) == (self.owner, self.name):
                    yield mention.offset, mention.length
        elif self._compares(expression):
            for found in re.finditer(rf"(['\"]){re.escape(self.name)}\1", expression.text):
                yield found.start() + 1, len(self.name)

    def _compares(self, expression: Expression) -> bool:
        """Whether an expression compares with the option, stage or process as a text."""
        owners: set[tuple[str, str]]
        if self.kind == "option":
            entity, _, field = _split(self.owner or "")
            owners = {(entity, field)}
        elif self.kind == "stage":
            owners = {(self.definition.processes[self.owner or ""].entity, "stage")}
        elif self.kind == "process":
            owners = {(self.definition.processes[self.name].entity, "pipeline")}
        else:
            return False
        return any(
            isinstance(node, Call)
            and any(isinstance(each, Name | Follow) and (each.entity, each.name) in owners for each in node.arguments)
            and any(isinstance(each, Const) for each in node.arguments)
            for node in walk(expression.tree)
        )


def _written(text: Text, word: str) -> str:
    """A name as the file's language writes it."""
    return f'"{word}"' if text.name.endswith(".json") else word


def _split(owner: str) -> tuple[str, str, str]:
    entity, _, field = owner.partition(".")
    return entity, "fields", field
