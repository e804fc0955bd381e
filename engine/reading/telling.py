"""A record as somebody sees it, told by its stored values, without asking the database.

Whoever has just written a record has its values at hand, and most policies ask for no more: which rows are his by an owner,
a stage, a region.  What the database would answer is then known already.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from engine.access.policies import Grant
from engine.app import EntityApp
from engine.expressions import Expression
from engine.expressions.types import Context
from engine.reading.view import View, record_maker


class Telling:
    """What one set of roles sees of an entity's records. `alone`: whether stored values are ever enough to tell."""

    def __init__(self, view: View, entity: str) -> None:
        model, names, permit = view.model(entity), view.chosen(entity, None), view.permit(entity)
        shown = {name: grants for name in names if (grants := permit.showing(name)) is not None}
        self._masked = {name: {each.role for each in grants} for name, grants in shown.items()}
        self._always = not shown and any(grant.read is None and grant.parent is None for grant in permit.of("read"))
        self._grants = [(grant.role, _alternatives(model, grant)) for grant in permit.of("read")]
        # Where fields are seen on some rows only, every grant must be known to hold or not.
        known = not shown or all(_exact(model, grant) for grant in permit.of("read"))
        self.alone = known and len(names) > 1 and set(names) <= model.columns.keys()
        if self.alone:
            self._values = itemgetter(*names)
            self._record = record_maker((name, model.fields[name]) for name in names)

    def record(self, values: Mapping[str, Any], context: Context) -> dict[str, Any] | None:
        """The JSON-ready record; None for one that is not seen, as far as its values tell."""
        if values["deleted_at"] is not None:
            return None
        if not self._always:
            seen = {
                role
                for role, some in self._grants
                if some is None or any(each.evaluate(values, context) for each in some)
            }
            if not seen:
                return None
            hidden = [name for name, roles in self._masked.items() if seen.isdisjoint(roles)]
            if hidden:
                values = {**values, **dict.fromkeys(hidden)}
        return self._record(self._values(values))


def _alternatives(model: EntityApp, grant: Grant) -> tuple[Expression, ...] | None:
    """The conditions that a record's own values decide, any of which lets the grant hold; None if it always does."""
    if grant.parent is not None:
        return ()
    if grant.read is None:
        return None
    return tuple(each for each in grant.read.alternatives if not each.reads and each.locals <= model.columns.keys())


def _exact(model: EntityApp, grant: Grant) -> bool:
    """Whether they tell of every record."""
    found = _alternatives(model, grant)
    return found is None or (grant.read is not None and found == grant.read.alternatives)


__all__ = ["Telling"]
