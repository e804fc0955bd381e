"""Two definitions compared thing by thing: what is added, removed, renamed, and which keys of what stays are different."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.definition.model import AppDefinition
from engine.publishing.changes import Added, Altered, Change, Removed, Renamed
from engine.publishing.identity import Identity, pairs

Path = tuple[str, ...]

_PARTS = {
    "entities": ("entity", {"fields": "field", "rules": "rule", "unique": "unique", "notices": "notice", "conversions": "conversion", "briefs": "brief", "sections": "section"}),
    "processes": ("process", {"stages": "stage", "transitions": "transition"}),
    "roles": ("role", {}), "views": ("view", {}), "forms": ("form", {}), "scores": ("score", {}), "kinds": ("kind", {}), "presets": ("preset", {}),
    "homes": ("home", {"cards": "card"}),
}  # fmt: skip
# Where the text stands is no business of the app.
_SILENT = ("include", "was")


def things(definition: AppDefinition) -> dict[Path, tuple[str, dict[str, Any]]]:
    """Everything that can be spoken of on its own: path -> (kind, its own keys)."""
    whole = definition.model_dump(by_alias=True)
    found: dict[Path, tuple[str, dict[str, Any]]] = {}
    for key, (kind, parts) in _PARTS.items():
        for name, thing in whole.pop(key).items():
            for part, part_kind in parts.items():
                for child, inner in (thing.pop(part) or {}).items():
                    found[key, name, part, child] = (part_kind, inner if isinstance(inner, dict) else {"": inner})
            found[key, name] = (kind, thing)
    for role, policies in whole.pop("policies").items():
        for entity, policy in policies.items():
            found["policies", role, entity] = ("policy", policy)
    found["sample",] = ("sample", whole.pop("sample"))
    found["allow",] = ("allow", whole.pop("allow"))
    found[()] = ("app", whole)
    return found


def compare(old: AppDefinition, new: AppDefinition, identity: Identity) -> list[Change]:
    """The changes from `old` to `new`, in the order of the new text, removals last."""
    before, after = things(old), things(new)
    former = {path: earlier for path in after if (earlier := _former(path, identity, old, new)) in before}
    changes: list[Change] = []
    for path, (kind, thing) in after.items():
        name = ".".join(path)
        if path not in former:
            changes.append(Added(name, kind))
            continue
        earlier = former[path]
        if path and path[-1] != earlier[-1] and kind != "policy":
            changes.append(Renamed(name, kind, earlier[-1]))
        keys = tuple(_different(before[earlier][1], thing))
        if keys:
            changes.append(Altered(name or new.app, kind, keys))
    kept = set(former.values())
    changes += [Removed(".".join(path), kind) for path, (kind, _) in before.items() if path not in kept]
    return changes


def _former(path: Path, identity: Identity, old: AppDefinition, new: AppDefinition) -> Path:
    """The path that the same thing had."""
    match path:
        case ("entities", entity):
            return ("entities", identity.entities.get(entity, ""))
        case ("entities", entity, "fields", field):
            return ("entities", identity.entities.get(entity, ""), "fields", identity.old_field(entity, field) or "")
        case ("entities", entity, *rest):
            return ("entities", identity.entities.get(entity, ""), *rest)
        case ("processes", process):
            return ("processes", identity.processes.get(process, ""))
        case ("processes", process, "stages", stage):
            return (
                "processes",
                identity.processes.get(process, ""),
                "stages",
                identity.stages.get((process, stage), ""),
            )
        case ("processes", process, *rest):
            return ("processes", identity.processes.get(process, ""), *rest)
        case ("roles", role):
            return ("roles", identity.roles.get(role, ""))
        case ("policies", role, entity):
            return ("policies", identity.roles.get(role, ""), identity.entities.get(entity, ""))
        case (("views" | "forms" | "scores") as group, name):
            return (group, pairs(getattr(old, group), getattr(new, group)).get(name, ""))
    return path


def _different(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*old, *new)):
        if key not in _SILENT and old.get(key) != new.get(key):
            yield key
