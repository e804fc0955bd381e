"""What a posted form says, as the JSON values that the write path takes.

People's texts are read by `Field.read`, so `¥1.2万` and `2026年3月1日` are as good on a page as in a table file.  What
cannot be read stays as it was typed, with a problem at its place; nothing typed is ever lost.  Only fields that the form
really sent count: a form of three fields changes three fields.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.datastructures import FormData, UploadFile

from engine.app import EntityApp
from engine.fields import Field, Invalid
from engine.fields.files import Attached, ManyFiles
from engine.fields.lookup import Linking
from engine.problems import Problem, Refused
from engine.reading import Lens
from engine.web.pages.cells import problem_of
from engine.web.pages.filters import Option
from engine.web.pages.inputs import Draft, row_defaults, typed_text

MOST_ROWS = 500
# Keeps a file for a field of an entity, at a place in the form, and answers with its id. Raises Refused.
Keep = Callable[[EntityApp, str, str, UploadFile], int]


class Posted:
    """Reads one form. `lens` finds the records whose names were typed; `keep` stores the files that came along.

    `base` are the values that the form began with: a control that still says what it said then has its value still, even
    where the words say less than the value.
    """

    def __init__(self, form: FormData, lens: Lens, r: Any, keep: Keep, base: Mapping[str, Any], language: str) -> None:
        self.form, self.lens, self.r, self.keep = form, lens, r, keep
        self.base, self.language = base, language

    def text(self, name: str) -> str | None:
        """The last value under a name; None if the form did not send it."""
        found = [value for value in self.form.getlist(name) if isinstance(value, str)]
        return found[-1] if found else None

    def draft(self, model: EntityApp, names: Mapping[str, Any]) -> Draft:
        """The values of those of `names` that the form sent."""
        draft = Draft({})
        for name in names:
            self._field(draft, draft.values, model, name, name, self.base)
        return draft

    def _field(
        self, draft: Draft, values: dict[str, Any], model: EntityApp, name: str, path: str, base: Mapping[str, Any]
    ) -> None:
        each = model.fields[name]
        if isinstance(each, Attached):
            self._files(draft, values, each, name, path, model)
        elif isinstance(each, Linking):
            self._lookup(draft, values, model, each, name, path)
        elif each.type == "children":
            self._rows(draft, values, model, name, path)
        elif each.type == "choices":
            if path in self.form:
                values[name] = [key for key in self.form.getlist(path) if isinstance(key, str) and key] or None
        else:
            text = self.text(path)
            if text is not None:
                self._read(draft, values, each, name, path, text, model, base.get(name))

    def _read(
        self,
        draft: Draft,
        values: dict[str, Any],
        each: Field,
        name: str,
        path: str,
        text: str,
        model: EntityApp,
        was: Any,
    ) -> None:
        # Browsers send the line ends of a text area as CR LF.
        text = text.replace("\r\n", "\n")
        if was is not None and text == typed_text(each, was, self.language):
            values[name] = was
            return
        try:
            stored = each.read(text)
            values[name] = None if stored is None else each.to_json(stored)
        except Invalid as error:
            draft.typed[path] = text
            draft.problems.append(problem_of(error, path, model.labels[name]))

    def _lookup(
        self, draft: Draft, values: dict[str, Any], model: EntityApp, each: Linking, name: str, path: str
    ) -> None:
        id, picked = self.text(path), self.text(f"{path}~pick")
        typed = self.text(f"{path}~text")
        if picked:
            values[name] = picked
        elif id is None and typed is None:
            return
        elif typed is None or (typed == (self.text(f"{path}~was") or "") and (id or not typed)):
            values[name] = id or None
        elif not typed.strip():
            values[name] = None
        else:
            self._named(draft, values, model, name, path, typed.strip())

    def _named(self, draft: Draft, values: dict[str, Any], model: EntityApp, name: str, path: str, typed: str) -> None:
        """A record named by its title: exactly one must have it, else those that are alike are offered."""
        found = self.lens.choices(self.r, model.name, name, typed, 12)
        same = [each for each in found if each["title"].casefold() == typed.casefold()]
        if len(same) == 1:
            values[name] = same[0]["id"]
            return
        draft.typed[path] = typed
        offered = same or found
        draft.candidates[path] = [Option(each["id"], each["title"]) for each in offered]
        code = "ui-several-match" if offered else "ui-unknown-title"
        draft.problems.append(Problem(code, path, {"text": typed, "count": len(offered)}))

    def _files(
        self, draft: Draft, values: dict[str, Any], each: Attached, name: str, path: str, model: EntityApp
    ) -> None:
        if f"{path}~kept" not in self.form:
            return
        kept = [id for id in self.form.getlist(f"{path}~kept") if isinstance(id, str) and id]
        for upload in self.form.getlist(f"{path}~new"):
            if not isinstance(upload, UploadFile) or not upload.filename:
                continue
            try:
                id = str(self.keep(model, name, path, upload))
            except Refused as refused:
                draft.problems += refused.problems
            else:
                kept = [*kept, id] if each.most > 1 else [id]
        values[name] = kept if isinstance(each, ManyFiles) else (kept[0] if kept else None)

    def _rows(self, draft: Draft, values: dict[str, Any], model: EntityApp, name: str, path: str) -> None:
        if f"{path}~rows" not in self.form:
            return
        entity, lookup = model.relations[name]
        rows_of = re.compile(rf"{re.escape(path)}\.([0-9]{{1,5}})(?:\.|$)")
        child = self.lens.app.entities[entity]
        numbers = sorted({int(found[1]) for key in self.form if (found := rows_of.match(key))})
        writable = self.lens.writable(entity, "update") | self.lens.writable(entity, "create")
        begun = {row.get("id"): row for row in self.base.get(name) or () if isinstance(row, dict)}
        blank = row_defaults(child)
        rows: list[dict[str, Any]] = []
        for number in numbers[:MOST_ROWS]:
            at = f"{path}.{number}"
            if self.text(f"{at}.~gone"):
                continue
            # Rows close ranks when one is removed, so problems are told by the row's new place.
            place = f"{path}.{len(rows)}"
            row: dict[str, Any] = {}
            part = Draft({})
            id = self.text(f"{at}.id")
            for each in child.fields:
                if each in writable and each != lookup:
                    self._field(part, row, child, each, f"{at}.{each}", begun.get(id, {}))
            # A row in which nobody wrote anything is none, whatever it began with.
            untouched = all(value in (None, False, [], "") or value == blank.get(key) for key, value in row.items())
            if not id and not part.typed and untouched:
                continue
            moved = {
                key: f"{place}{key[len(at) :]}"
                for key in (*part.typed, *part.candidates, *(p.path for p in part.problems))
            }
            draft.typed |= {moved[key]: text for key, text in part.typed.items()}
            draft.candidates |= {moved[key]: found for key, found in part.candidates.items()}
            draft.problems += [Problem(p.code, moved[p.path], p.parameters) for p in part.problems]
            rows.append({"id": id, **row} if id else row)
        values[name] = rows


def base_of(text: str) -> dict[str, Any]:
    """The values that a form began with, as it carries them along. Anything else than an object is an empty one."""
    try:
        found = orjson.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def changed(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from what the form began with."""
    return {name: value for name, value in values.items() if not same(value, base.get(name))}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are one: nothing, an empty list and an empty text are alike.

    Of rows only what `one` says of them counts: a form sends fewer fields than a record has.
    """
    # A box that nobody ticked says no more than one that nobody was shown.
    blank: tuple[Any, ...] = (None, [], "", {})
    if one == other or (one in blank and other in blank) or (one is False and other is None):
        return True
    if not (isinstance(one, list) and isinstance(other, list) and len(one) == len(other)):
        return False
    return all(
        isinstance(row, dict)
        and isinstance(was, dict)
        and all(same(value, was.get(name)) for name, value in row.items())
        for row, was in zip(one, other, strict=True)
    )
