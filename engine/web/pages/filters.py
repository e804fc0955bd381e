"""Quick filters: what an address says of a list, in words for people and as a `Query` for the lens.

`f.stage=new&f.stage=open`, `f.amount.from=50000`, `f.owner=me`: each field's filter has parameters of its own, so an
address can be kept, sent and opened by somebody else, who then sees what he may see.  A value that does not fit its field
is left out of the question and stays visible in the control.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from engine.app import EntityApp
from engine.columns import unscaled
from engine.fields import Field, Invalid
from engine.fields.choice import Choosing
from engine.fields.files import Attached
from engine.fields.lookup import Linking
from engine.reading import Lens, Query
from engine.web.pages.cells import Titles, address, is_number
from engine.web.pages.frame import Words

MOST_FILTERS = 12
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Option:
    key: str
    label: str
    chosen: bool = False


@dataclass(frozen=True)
class State:
    """What the address of a list says, and how to say it a little differently."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.parameters if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.parameters if key == name and value]

    def url(self, drop: Sequence[str] = (), **changes: str | None) -> str:
        """The address with some parameters changed; None and everything that begins with one of `drop` is left out.

        The place in the list is always forgotten: another question begins at its first row.
        """
        kept = [
            (key, value)
            for key, value in self.parameters
            if value
            and key != "cursor"
            and key not in changes
            and not any(key == each or key.startswith(each + ".") for each in drop)
        ]
        kept += [(key, value) for key, value in changes.items() if value is not None]
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def plus(self, name: str, value: str) -> "State":
        """The address with one parameter more."""
        return State(self.path, (*self.parameters, (name, value)))

    def without(self, name: str, value: str) -> "State":
        """The address without one value of a parameter."""
        return State(self.path, tuple(each for each in self.parameters if each != (name, value)))


@dataclass(frozen=True)
class Filter:
    """One quick filter as a control and, when active, as words: `label` `verb` **`words`**."""

    name: str
    id: str
    label: str
    kind: Literal["options", "range", "record", "text"]
    active: bool = False
    verb: str = ""
    words: str = ""
    clear: str = ""
    options: tuple[Option, ...] = ()
    input: str = "text"
    low: str = ""
    high: str = ""
    from_words: str = ""
    to_words: str = ""
    value: str = ""
    text: str = ""
    source: str = ""
    mine: bool = False  # whether one may ask for one's own
    own: bool = False
    expression: str = ""  # what it asks, as text; empty where the language has no words for it


@dataclass
class Asked:
    """The question put together: equalities and conditions."""

    equal: dict[str, str] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)


def quoted(text: str) -> str:
    """A text as a literal of the expression language."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def filterable(each: Field) -> bool:
    return (
        each.stored
        and not isinstance(each, Attached)
        and each.type not in ("json", "address", "location", "longtext", "signature", "duration")
    )


def offered(lens: Lens, model: EntityApp, view_filters: Sequence[str], state: State) -> list[str]:
    """Which fields get a quick filter: those of the view, else what people usually look by; always those in use."""
    fields = lens.fields(model.name)
    used = [
        key.split(".")[1]
        for key, value in state.parameters
        if key.startswith("f.") and value and len(key.split(".")) > 1
    ]
    chosen = list(view_filters) or _usual(model, fields)
    return [name for name in dict.fromkeys((*chosen, *used)) if name in fields and filterable(fields[name])][
        :MOST_FILTERS
    ]


def _usual(model: EntityApp, fields: Mapping[str, Field]) -> list[str]:
    own = [name for name, each in fields.items() if model.definition and name in model.definition.fields]
    picked = ["stage"] if model.processes and "stage" in fields else []
    picked += [name for name in own if fields[name].type == "choice"][:3]
    picked += [name for name in own if fields[name].type == "user"][:1]
    picked += [name for name in own if fields[name].type == "lookup"][:1]
    picked += [name for name in own if fields[name].type in ("money", "date")][:2]
    return picked


def read_filters(
    lens: Lens, model: EntityApp, names: Sequence[str], state: State, titles: Titles, t: Words
) -> tuple[list[Filter], Asked]:
    """The controls and the question that the address asks."""
    asked = Asked()
    fields = lens.fields(model.name)
    ids = {name: _record_id(state, name, lens, model, titles.r) for name in names if isinstance(fields[name], Linking)}
    titles.of(model.name, [{name: id} for name, id in ids.items() if id], [name for name, id in ids.items() if id])
    found = []
    for name in names:
        each = fields[name]
        if isinstance(each, Linking):
            found.append(_record(lens, model, name, each, ids[name], state, titles, asked, t))
        elif isinstance(each, Choosing) or each.type == "boolean":
            found.append(_options(model, name, each, state, asked, t))
        elif is_number(each) or each.type in ("date", "datetime"):
            found.append(_range(model, name, each, state, asked, t))
        else:
            found.append(_text(model, name, state, asked, t))
    return found, asked


def _record_id(state: State, name: str, lens: Lens, model: EntityApp, r: Any) -> str | None:
    """The id that the address asks for: one's own, one chosen, or that of the only record with the typed name."""
    key = f"f.{name}"
    value = "me" if state.get(f"{key}.mine") else state.get(key)
    if value == "me":
        return str(lens.principal.user) if lens.principal.user is not None else None
    if value:
        return value if value.isascii() and value.isdigit() and len(value) < 19 else None
    typed = state.get(f"{key}.text").strip()[:100]
    if not typed:
        return None
    found = [
        each for each in lens.choices(r, model.name, name, typed, 12) if each["title"].casefold() == typed.casefold()
    ]
    return str(found[0]["id"]) if len(found) == 1 else None


def _record(
    lens: Lens,
    model: EntityApp,
    name: str,
    each: Linking,
    id: str | None,
    state: State,
    titles: Titles,
    asked: Asked,
    t: Words,
) -> Filter:
    key = f"f.{name}"
    mine = each.target == "user"
    title = titles.title(each.target, id) if id else None
    if id:
        asked.equal[name] = id
    own = mine and id == str(lens.principal.user)
    return Filter(
        key, f"filter-{name}", model.labels[name][t.language], "record", bool(id), t("is"),
        t("myself") if own else title or "", state.url(drop=[key]), value="" if own else id or "", text="" if own else title or "",
        source=address(lens.app.name, model.name, "choices") + f"?field={name}", mine=mine, own=own,
    )  # fmt: skip


def _options(model: EntityApp, name: str, each: Field, state: State, asked: Asked, t: Words) -> Filter:
    key = f"f.{name}"
    if isinstance(each, Choosing):
        known = [(option, each.option_label(option, t.language)) for option in each.keys]
    else:
        known = [("true", t("yes")), ("false", t("no"))]
    given = state.all(key)
    chosen = [option for option, _ in known if option in given]
    if chosen and each.type == "choices":
        asked.conditions.append("(" + " or ".join(f"has({name}, {quoted(option)})" for option in chosen) + ")")
    elif chosen:
        asked.equal[name] = ",".join(chosen)
    labels = dict(known)
    text = ""
    if chosen and each.type == "choices":
        text = asked.conditions[-1]
    elif chosen and isinstance(each, Choosing):
        text = f"{name} in [{', '.join(map(quoted, chosen))}]"
    elif len(chosen) == 1:
        text = name if chosen == ["true"] else f"not {name}"
    words = f" {t('or')} ".join(labels[option] for option in chosen)
    return Filter(
        key, f"filter-{name}", model.labels[name][t.language], "options", bool(chosen), t("is"), words, state.url(drop=[key]),
        options=tuple(Option(option, label, option in chosen) for option, label in known), expression=text,
    )  # fmt: skip


def _range(model: EntityApp, name: str, each: Field, state: State, asked: Asked, t: Words) -> Filter:
    key = f"f.{name}"
    low, high = state.get(f"{key}.from"), state.get(f"{key}.to")
    day = each.type in ("date", "datetime")
    words, texts = [], []
    for typed, sign, verb in ((low, ">=", "from" if day else "at-least"), (high, "<=", "until" if day else "at-most")):
        literal = _literal(each, typed) if typed else None
        if literal is not None:
            left = f"date({name})" if each.type == "datetime" else name
            texts.append(f"{left} {sign} {literal}")
            words.append(f"{t(verb)} {typed if day else _amount(each, typed, t)}")
    asked.conditions += texts
    return Filter(
        key, f"filter-{name}", model.labels[name][t.language], "range", bool(words), "", " · ".join(words), state.url(drop=[key]),
        input="date" if day else "text", low=low, high=high,
        from_words=t("from" if day else "at-least"), to_words=t("until" if day else "at-most"), expression=" and ".join(texts),
    )  # fmt: skip


def _literal(each: Field, typed: str) -> str | None:
    """What a person typed as a literal of the expression language; None if it does not fit."""
    try:
        if each.type in ("date", "datetime"):
            day = typed.strip()[:10]
            from engine.fields.date import read_day

            return None if read_day(day) is None else f"date({quoted(day)})"
        stored = each.read(typed)
    except Invalid:
        return None
    return None if stored is None else str(unscaled(stored, each.value_type().scale))


def _amount(each: Field, typed: str, t: Words) -> str:
    return each.show(each.read(typed), t.language)


def _text(model: EntityApp, name: str, state: State, asked: Asked, t: Words) -> Filter:
    key = f"f.{name}"
    value = state.get(key).strip()
    text = f"contains({name}, {quoted(value)})" if value else ""
    asked.conditions += [text] if text else []
    return Filter(
        key,
        f"filter-{name}",
        model.labels[name][t.language],
        "text",
        bool(value),
        t("contains"),
        value,
        state.url(drop=[key]),
        value=value,
        expression=text,
    )


def question(asked: Asked, where: str, **more: Any) -> Query:
    """The query of a list; `where` is what a person wrote himself."""
    parts = [*asked.conditions, *([f"({where})"] if where else [])]
    return Query(where=" and ".join(parts) or None, filters=asked.equal, **more)
