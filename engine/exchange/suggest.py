"""Without a mapping: which column is meant for which field, by the names that people and exports use."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from engine.app import EntityApp
from engine.exchange.mapping import Column, Step, Takeover
from engine.fields.choice import fold
from engine.fields.rapid import rapid
from engine.reading import Lens
from engine.words import catalogue

ALIKE = 88  # of 100: a slip of the pen, not another word
_NEVER = frozenset({"deleted_at"})


@dataclass(frozen=True)
class Suggestion:
    """`step` maps what was recognised. `ignored` are columns of fields that nobody writes; `unknown` fit no field."""

    step: Step
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @staticmethod
    def own(header: str) -> bool:
        """Whether a column is one that a file of refused rows has for its reasons."""
        return fold(header) in _own_headers()


@cache
def _own_headers() -> frozenset[str]:
    return frozenset(fold(catalogue()["import-problems-header"][language]) for language in ("zh", "en"))


def suggest(lens: Lens, model: EntityApp, headers: Sequence[str]) -> Suggestion:
    """A mapping of the columns of a table. Names of fields and labels in both languages are known, blanks and case aside."""
    visible = lens.fields(model.name)
    writable = lens.writable(model.name, "create") | lens.writable(model.name, "update")
    names: dict[str, str] = {}
    for name, field in reversed(list(visible.items())):
        label = model.labels[name]
        if name not in _NEVER and field.type != "children":
            names |= {fold(label.zh): name, fold(label.en): name}
    names |= {fold(name): name for name in visible if name not in _NEVER}
    columns: dict[str, tuple[Column, ...]] = {}
    ignored, unknown, used = [], [], set()
    stage = None
    for header in headers:
        found = names.get(fold(header)) or _nearest(header, names)
        if not header or Suggestion.own(header):
            continue
        if found is None or found in used:
            unknown.append(header)
            continue
        used.add(found)
        if found == "stage":
            stage = Takeover(column=header)
        elif found == "id" or found in writable:
            columns[header] = (Column(field=found),)
        else:
            ignored.append(header)
    fields = [column.field for (column,) in columns.values() if column.field]
    key = "id" if "id" in used else next((name for name in fields if visible[name].unique), None)
    return Suggestion(
        Step(entity=model.name, key=(key,) if key else (), columns=columns, stage=stage), tuple(ignored), tuple(unknown)
    )


def _nearest(header: str, names: dict[str, str]) -> str | None:
    """The one field whose name differs by no more than a slip."""
    word = fold(header)
    if len(word) < 3:
        return None
    ratio = rapid().fuzz.ratio
    alike = {name for known, name in names.items() if ratio(word, known) >= ALIKE}
    return alike.pop() if len(alike) == 1 else None
