"""Reading an app package: the root file, the files it includes, and the preset laid over them.

The files of a package are named relative to the root's folder.  Included files are merged key by key down to the
things they define; one thing stands in one file.  A preset's file is laid over the result: maps merge deeply,
scalars and lists replace, null deletes.
"""

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.definition.parse import MAX_FILE, MAX_PACKAGE, Branch, Parsed, Text, hostile, parse
from engine.definition.source import KeyPath, Source, event_place
from engine.problems import Label, Place, Problem
from engine.registry import nearest

ENDINGS = (".yaml", ".yml", ".json")
# Down to which depth several files may contribute to one map. What lies deeper is one thing, which stands in one file.
_SHARED = {"policies": 2, "sample": 2, "calendar": 0, "label": 0, "help": 0}


_SAYS_PRESET = re.compile(r"^preset:.*$", re.MULTILINE)
_SAYS_APP = re.compile(r"""^[{\s]*["']?app["']?\s*:""", re.MULTILINE)


class Unreadable(Exception):
    """A file that cannot be read as text. Carries the problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


class Folder:
    """The files below one folder on disk, named relative to it."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder = folder.resolve()
        self.prefix = prefix

    def read(self, name: str) -> str | None:
        """The text of a file; None if there is none inside the folder. Raises Unreadable."""
        path = (self.folder / name).resolve()
        if not path.is_file() or not path.is_relative_to(self.folder):
            return None
        place = Place(self.prefix + name, 1, 1)
        if path.stat().st_size > 4 * MAX_FILE:
            raise Unreadable(hostile(place, "文件超过 1 MB", "the file is over 1 MB"))
        try:
            return path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Unreadable(hostile(place, "不是 UTF-8 文本", "it is not UTF-8 text")) from None

    def names(self, folder: str) -> list[str]:
        """The definition files directly in a folder, sorted; empty if there is no such folder inside."""
        path = (self.folder / folder).resolve()
        if not path.is_dir() or not path.is_relative_to(self.folder):
            return []
        return sorted(
            posixpath.normpath(posixpath.join(folder, each.name))
            for each in path.iterdir()
            if each.name.endswith(ENDINGS)
        )


class Stored:
    """The files of a package as a mapping of name to text."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = {posixpath.normpath(name): text.removeprefix("\ufeff") for name, text in files.items()}

    def read(self, name: str) -> str | None:
        return self.files.get(name)

    def names(self, folder: str) -> list[str]:
        within = "" if folder == "." else folder + "/"
        return sorted(
            name for name in self.files if posixpath.dirname(name) == within.rstrip("/") and name.endswith(ENDINGS)
        )


def read(
    origin: str | Path | Mapping[str, str], root: str | None = None, preset: str | None = None, *, again: bool = True
) -> Source:
    """The package at a root file's path, or in a mapping of names to texts; `preset` takes the place of the root's own.

    `again` says that it may be read again soon with little changed, so that what was parsed is worth its memory.
    What the texts do wrong is in `problems`.  Raises FileNotFoundError if there is no root file.
    """
    store: Folder | Stored
    if isinstance(origin, Mapping):
        source = Source(root or root_of(origin))
        store = Stored(origin)
        if sum(map(len, origin.values())) > MAX_PACKAGE:
            source.problems.append(
                hostile(Place(source.root, 1, 1), "全部文件超过 10 MB", "the files are over 10 MB together")
            )
            return source
    else:
        path = Path(origin)
        prefix = "" if str(path.parent) == "." else path.parent.as_posix().rstrip("/") + "/"
        source = Source(path.name, prefix)
        store = Folder(path.parent, prefix)
    if store.read(source.root) is None if isinstance(store, Stored) else not Path(str(origin)).is_file():
        raise FileNotFoundError(str(origin) if not isinstance(origin, Mapping) else source.root)
    _Reader(source, store, parse_again if again else parse).package(preset)
    if preset is not None and source.root in source.files:
        source.files[source.root] = choosing(source.files[source.root], preset)
    return source


def of_data(files: Mapping[str, str], root: str, data: dict[str, Any]) -> Source:
    """A package whose texts were read before: `data` is what they say together. Every place in it is that of the root file."""
    return Source(root, files=dict(files), tree=Branch(Text(root, ""), None, data, {}))


def choosing(text: str, preset: str) -> str:
    """The text of a root file that names `preset` as its own, so that the kept package means what was read."""
    if text.lstrip().startswith("{"):
        return json.dumps({**json.loads(text), "preset": preset}, ensure_ascii=False, indent=2) + "\n"
    line = f"preset: {preset}"
    if _SAYS_PRESET.search(text):
        return _SAYS_PRESET.sub(line, text, count=1)
    return text + ("" if text.endswith("\n") else "\n") + line + "\n"


def root_of(files: Mapping[str, str]) -> str:
    """The root among the files of a package: the one in its topmost folder, or the one there that says `app`."""
    named = [name for name in files if name.endswith(ENDINGS)]
    least = min((name.count("/") for name in named), default=0)
    top = [name for name in named if name.count("/") == least]
    if not top:
        raise FileNotFoundError("no root file")
    return next((name for name in top if len(top) > 1 and _SAYS_APP.search(files[name])), top[0])


# While somebody types, one file of many changes.
parse_again = lru_cache(maxsize=256)(parse)


class _Reader:
    def __init__(self, source: Source, store: Folder | Stored, parse: Callable[[str, str], Parsed]) -> None:
        self.source = source
        self.store = store
        self.parse = parse
        self.included: set[str] = set()
        self.broken = False

    def package(self, preset: str | None) -> None:
        source = self.source
        source.tree = self.file(source.root)
        if source.tree:
            self.include(source.tree, (source.root,))
            self.overlay(preset)
        if self.broken:
            source.tree = None

    def file(self, name: str) -> Branch | None:
        """The tree of a file that exists; None if it does not parse."""
        text = self.text(name)
        if text is None:
            self.broken = True
            return None
        parsed = self.parse(self.source.prefix + name, text)
        self.source.problems.extend(parsed.problems)
        if parsed.root is None:
            self.broken = True
            if not parsed.problems:
                place = Place(self.source.prefix + name, 1, 1)
                self.source.problems.append(
                    Problem("wrong-shape", parameters={"expected": Label("键值对", "keys with values")}, place=place)
                )
        return parsed.root

    def text(self, name: str) -> str | None:
        """The text of a file, kept among the package's; None if there is none or it cannot be read."""
        files = self.source.files
        if name not in files:
            try:
                text = self.store.read(name)
            except Unreadable as error:
                self.source.problems.append(error.problem)
                self.broken = True
                return None
            if text is None:
                return None
            files[name] = text
            if sum(map(len, files.values())) > MAX_PACKAGE:
                self.source.problems.append(
                    hostile(
                        Place(self.source.prefix + name, 1, 1),
                        "全部文件超过 10 MB",
                        "the files are over 10 MB together",
                    )
                )
                self.broken = True
                return None
        return files[name]

    def include(self, tree: Branch, chain: tuple[str, ...]) -> None:
        """Merges the files that `tree`, the last of `chain`, includes: depth first, in the order of the text."""
        for name, place in self.wanted(tree, chain[-1]):
            if name in chain:
                self.unusable(name, place, Label("循环包含", "it includes itself"))
            elif name not in self.included:
                self.included.add(name)
                branch = self.file(name)
                if branch is not None and self.source.tree is not None:
                    own = Branch(
                        branch.text, branch.event, _without(branch.data, "include"), _without(branch.entries, "include")
                    )
                    self.source.tree = self.merged(self.source.tree, own, (), None)
                    self.include(branch, (*chain, name))

    def wanted(self, tree: Branch, asking: str) -> Iterator[tuple[str, Place]]:
        """The files that a tree includes, a folder's files one by one, with the place that asks for them."""
        listed = tree.data.get("include")
        if listed is None:
            return
        text, _, child = tree.entries["include"]
        if isinstance(child, Branch):
            each = (
                [(value, entry[0], entry[2]) for value, entry in zip(child.data, child.entries, strict=False)]
                if isinstance(child.data, list)
                else []
            )
        else:
            each = [(listed, text, child)]
        for value, where, event in each:
            if not isinstance(value, str):
                continue  # shaping says so
            place = event_place(where, event)
            name = posixpath.normpath(posixpath.join(posixpath.dirname(asking), value))
            if value.startswith("/") or name.startswith("..") or "\\" in value:
                self.unusable(value, place, Label("在应用包之外", "it lies outside the app"))
            elif self.text(name) is not None:
                yield name, place
            elif names := [found for found in self.store.names(name) if found != asking]:
                for found in names:
                    yield found, place
            elif not self.broken:
                near = nearest(name, set(self.store.names(posixpath.dirname(name) or ".")))
                self.unusable(value, place, Label("没有这样的文件或文件夹", "there is no such file or folder"), near)

    def unusable(self, name: str, place: Place, why: Label, near: str | None = None, path: str = "include") -> None:
        self.source.problems.append(
            Problem("include-broken", path, {"name": name, "why": why, "nearest": near}, place=place, value=name)
        )

    def merged(self, base: Branch, more: Branch, path: KeyPath, depth: int | None) -> Branch:
        """A new map with the keys of both. `depth` says how many levels further down two files may share a map."""
        data, entries = dict(base.data), dict(base.entries)
        for key, entry in more.entries.items():
            shared = _SHARED.get(key, 1) if depth is None else depth
            there = entries.get(key)
            if there is None:
                data[key], entries[key] = more.data[key], entry
            elif (
                shared > 0
                and isinstance(there[2], Branch)
                and isinstance(entry[2], Branch)
                and isinstance(there[2].data, dict)
                and isinstance(entry[2].data, dict)
            ):
                both = self.merged(there[2], entry[2], (*path, key), shared - 1)
                data[key], entries[key] = both.data, (there[0], there[1], both)
            else:
                first = event_place(there[0], there[1])
                parameters = {"key": key, "place": str(first)}
                dotted = ".".join(map(str, (*path, key)))
                self.source.problems.append(
                    Problem(
                        "duplicate-key", dotted, parameters, place=event_place(entry[0], entry[1]), related=(first,)
                    )
                )
        return Branch(base.text, base.event, data, entries)

    def overlay(self, preset: str | None) -> None:
        """Lays the chosen preset over the tree, and keeps the texts of all presets with the package."""
        tree = self.source.tree
        presets = tree.data.get("presets") if tree else None
        if not isinstance(presets, dict):
            presets = {}
        chosen = preset or (tree.data.get("preset") if tree else None)
        for name, each in presets.items():
            value = each.get("file") if isinstance(each, dict) else None
            if not isinstance(value, str):
                continue  # shaping says so
            path: KeyPath = ("presets", name, "file")
            file = posixpath.normpath(value)
            if file.startswith(("..", "/")):
                self.unusable(
                    value,
                    self.source.place(path),
                    Label("在应用包之外", "it lies outside the app"),
                    path=".".join(map(str, path)),
                )
            elif self.text(file) is None:
                if not self.broken:
                    self.unusable(
                        value,
                        self.source.place(path),
                        Label("没有这样的文件或文件夹", "there is no such file or folder"),
                        path=".".join(map(str, path)),
                    )
            elif name == chosen:
                branch = self.file(file)
                if branch is not None and self.source.tree is not None:
                    self.source.tree = self.laid(self.source.tree, branch, ())
        if chosen is not None and chosen not in presets:
            parameters = {"thing": Label("预设", "preset"), "name": chosen, "nearest": nearest(str(chosen), presets)}
            self.source.problems.append(
                Problem("unknown-preset", "preset", parameters, place=self.source.place(("preset",)), value=chosen)
            )

    def laid(self, base: Branch, over: Branch, path: KeyPath) -> Branch:
        data, entries = dict(base.data), dict(base.entries)
        for key, entry in over.entries.items():
            here = (*path, key)
            there = entries.get(key)
            if over.data[key] is None:
                if there is None:
                    self.lost(here, entry, entries)
                else:
                    del data[key], entries[key]
            elif there is None:
                data[key], entries[key] = over.data[key], entry
                self.source.added.add(here)
            elif (
                isinstance(entry[2], Branch)
                and isinstance(over.data[key], dict)
                and isinstance(there[2], Branch)
                and isinstance(there[2].data, dict)
            ):
                both = self.laid(there[2], entry[2], here)
                data[key], entries[key] = both.data, (entry[0], entry[1], both)
            else:
                data[key], entries[key] = over.data[key], entry
        return Branch(base.text, base.event, data, entries)

    def lost(self, path: KeyPath, entry: Any, known: Mapping[str, Any]) -> None:
        key = str(path[-1])
        parameters = {"key": key, "nearest": nearest(key, known)}
        self.source.problems.append(
            Problem(
                "override-lost", ".".join(map(str, path)), parameters, place=event_place(entry[0], entry[1]), value=key
            )
        )


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
