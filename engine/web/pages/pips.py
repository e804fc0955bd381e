"""How many of the next gate's requirements a record meets, beside its stage in lists and on cards, and what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.app import EntityApp
from engine.runtime.standing import standings
from engine.web.pages.visit import AppVisit

MOST_SAID = 4


@dataclass(frozen=True)
class Pips:
    """`words` say what is missing, for a hint beside the pips; empty where nothing is."""

    met: int
    all: int
    words: str = ""


def pips_of(visit: AppVisit, r: Any, model: EntityApp, records: Iterable[Mapping[str, Any]]) -> dict[str, Pips]:
    """By record id, for those who may move records on; nothing for others, and for records before no gate."""
    if not model.processes or not visit.lens.may(model.name, "transition"):
        return {}
    t, language = visit.t, visit.language
    ids = [int(record["id"]) for record in records]
    found = standings(visit.site.runtime.work(visit.app, visit.principal, r), model, ids)
    made = {}
    for id, standing in found.items():
        missing = [need.words[language] for need in standing.needs if not need.met]
        rest = [t("gate-more", count=len(missing) - MOST_SAID)] if len(missing) > MOST_SAID else []
        said = ("、" if language == "zh" else ", ").join([*missing[:MOST_SAID], *rest])
        made[str(id)] = Pips(standing.met, len(standing.needs), t("gate-lacks", what=said) if missing else "")
    return made
