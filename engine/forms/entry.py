"""What may be sent for a record: the fields that its sender may write, and how each stands there.

An `Entry` is made from the fields of an entity and what somebody may do with them.  From it come the JSON Schema that is
published (`engine.forms.schema`) and the validator that enforces it (`engine.forms.compile`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.fields import Field
from engine.problems import Label


@dataclass(frozen=True)
class Entry:
    """`fields` may be written, `readable` ones may be seen and are refused by name, all others are unknown.

    `required` must be filled in every record; what a condition requires is judged once the whole record is known.
    `children` are the entries of rows, by the name of their children field.
    """

    label: Label
    fields: Mapping[str, Field]
    labels: Mapping[str, Label]
    readable: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    children: Mapping[str, "Entry"] = field(default_factory=dict)

    def label_of(self, name: str) -> Label:
        return self.labels.get(name) or Label.of(name)


def always_required(fields: Mapping[str, Field]) -> frozenset[str]:
    """The fields that nobody may leave empty when he creates a record: no default fills them, no condition hides them."""
    return frozenset(
        name
        for name, each in fields.items()
        if each.required and not each.derived and each.default is None and each.visible_when is None
    )
