"""Which fields' words find a record: those that everybody who reads the entity may see, so that search gives nothing away."""

from engine.app import App, EntityApp


def searched_fields(app: App, model: EntityApp) -> tuple[str, ...]:
    """The stored fields whose shown values become the record's search words, in order."""
    grants = [
        grant
        for by_entity in app.policies.grants.values()
        if (grant := by_entity.get(model.name)) and "read" in grant.actions
    ]
    return tuple(
        name
        for name, field in model.fields.items()
        if name in model.columns
        and (field.searchable or name in (model.title, "number"))
        and all(name in grant.visible for grant in grants)
    )
