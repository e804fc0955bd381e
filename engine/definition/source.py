"""The text of an app package: its data as plain values, and for every key and value the place it came from."""

from dataclasses import dataclass, field
from typing import Any

from engine.definition.parse import Branch, Entry, Text
from engine.definition.scalars import raw_index
from engine.problems import Patch, Place, Problem

KeyPath = tuple[str | int, ...]


@dataclass
class Source:
    """`data` is the merged tree as plain values. `files` holds every text of the package, presets included."""

    root: str
    prefix: str = ""
    files: dict[str, str] = field(default_factory=dict)
    tree: Branch | None = None
    problems: list[Problem] = field(default_factory=list)
    added: set[KeyPath] = field(default_factory=set)  # what a preset's file brought that was not there before

    @property
    def data(self) -> Any:
        return self.tree.data if self.tree else None

    def entry(self, path: KeyPath) -> tuple[Entry | None, KeyPath]:
        """What stands at `path`, or at its longest beginning that stands in the text; and that beginning."""
        found: Entry | None = None
        branch: Any = self.tree
        for depth, part in enumerate(path):
            if not isinstance(branch, Branch):
                return found, path[:depth]
            if isinstance(branch.data, dict):
                entry = branch.entries.get(str(part))
            else:
                entry = branch.entries[part] if isinstance(part, int) and 0 <= part < len(branch.entries) else None
            if entry is None:
                return found, path[:depth]
            found, branch = entry, entry[2]
        return found, path

    def value(self, path: KeyPath) -> Any:
        data = self.data
        for part in path:
            try:
                data = data[part]
            except (KeyError, IndexError, TypeError):
                return None
        return data

    def place(self, path: KeyPath, *, key: bool = False, offset: int | None = None) -> Place:
        """Where the value at `path` (or its key) begins; with `offset`, where that character of a scalar stands.

        Where the text ends earlier than `path`, the key of the last part that it has.
        """
        entry, found = self.entry(path)
        if entry is None:
            return Place(self.prefix + self.root, 1, 1)
        text, key_event, child = entry
        if key_event is not None and (key or found != path):
            return event_place(text, key_event)
        if isinstance(child, Branch):
            return event_place(text, child.event)
        if offset is None:
            return event_place(text, child)
        return _at(text, child, offset)

    def patch(self, path: KeyPath, text: str, offset: int | None = None, length: int = 0) -> Patch | None:
        """The edit that replaces the scalar at `path`, or `length` characters of its value from `offset`, by `text`."""
        entry, found = self.entry(path)
        if entry is None or found != path or isinstance(entry[2], Branch):
            return None
        source, _, event = entry
        start, stop = event.start_mark.index, event.end_mark.index
        if offset is None:
            return Patch(event_place(source, event), len(source.text[start:stop].rstrip()), text)
        raw = source.text[start:stop]
        first = raw_index(raw, event.style, event.value, offset)
        last = raw_index(raw, event.style, event.value, offset + length - 1) + 1 if length else first
        if event.style == "'":
            text = text.replace("'", "''")
        elif event.style == '"':
            text = text.replace("\\", "\\\\").replace('"', '\\"')
        return Patch(_at(source, event, offset), last - first, text)


def event_place(text: Text, event: Any) -> Place:
    return Place(text.name, event.start_mark.line + 1, event.start_mark.column + 1)


def _at(text: Text, event: Any, offset: int) -> Place:
    start = event.start_mark.index
    index = start + raw_index(text.text[start : event.end_mark.index], event.style, event.value, offset)
    line_start = text.text.rfind("\n", 0, index) + 1
    return Place(text.name, text.text.count("\n", 0, index) + 1, index - line_start + 1)
