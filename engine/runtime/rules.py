"""What follows a save by the entity's own rules: groups are kept, likely duplicates are found."""

from engine.runtime.groups import keep_groups
from engine.runtime.matching import find_duplicates
from engine.runtime.work import Work


def after_save(work: Work) -> None:
    """Run for every record that the command wrote."""
    for draft in list(work.touched.values()):
        if draft.model.group is not None:
            keep_groups(work, draft)
        if draft.model.duplicates is not None:
            find_duplicates(work, draft)
