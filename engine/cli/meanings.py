"""What the keys of the definition language mean, where their shape does not say it itself: one sentence each."""

# Keys that mean the same wherever they stand.
COMMON: dict[str, str] = {
    "label": "What people read: one text, or both languages as {zh, en}.",
    "help": "An explanation shown beside it.",
    "was": "Its former name, when it is renamed: values, references and history come along.",
    "say": "What people read when it does not hold.",
    "entity": "The entity it is about.",
}

MEANINGS: dict[str, dict[str, str]] = {
    "AppDefinition": {
        "app": "The name of the app: small letters, digits and _; it stands in addresses and table names.",
        "version": "The package's own version, three numbers.",
        "include": "Files and folders that belong to the package; a folder means all its files, in the order of their names.",
        "currency": "The currency of money fields that name none.",
        "calendar": "Working time, for durations such as 3 workdays.",
        "presets": "Variants that can be chosen.",
        "preset": "The variant that is chosen.",
        "roles": "The jobs of the people who use the app.",
        "entities": "The kinds of records.",
        "forms": "Forms that differ from what the sections of an entity give.",
        "views": "Named lists.",
        "policies": "Role, then entity: what the role may do. What no policy opens is closed.",
        "processes": "The ways of records through stages.",
        "scores": "Numbers from 0 to 100 that explain themselves.",
        "sample": "People and records for trying the app.",
    },
    "Calendar": {
        "workdays": "cn: Chinese statutory holidays and make-up workdays; week: Monday to Friday.",
        "timezone": "Where the working hours are meant, and where a day begins.",
    },
    "Option": {
        "color": "How it is shown.",
        "retired": "No longer offered; stays where it is.",
    },
    "Preset": {"file": "The file whose maps are laid over the definition; null in it takes something away."},
    "Role": {
        "includes": "Roles whose permissions this one has as well.",
        "administrator": "May see and do everything.",
    },
    "Entity": {
        "icon": "The name of a sign shown beside the label.",
        "subtitle": "The field shown beside the title.",
        "fields": "What a record holds, in the order of forms and columns.",
        "sections": "Groups of fields; they make the form and the record page.",
        "rules": "What must hold whenever a record is saved.",
        "duplicates": "When two records are probably the same.",
        "group": "Which records belong together because of a common topmost parent.",
        "notices": "Hints shown beside records.",
        "conversions": "Making other records from one.",
        "briefs": "Pages that say at a glance what matters about a record, such as before a visit.",
    },
    "Section": {
        "columns": "How many fields stand side by side.",
        "visible_when": "The section shows when this holds.",
    },
    "Rule": {"when": "The expression that must hold."},
    "Duplicates": {
        "match": "Field and weight; the weights sum to 100.",
        "at_least": "From which likeness on two records count as probably the same.",
    },
    "Match": {
        "weight": "Its share of 100.",
        "by": "How it is compared; what the type suggests if not given.",
    },
    "Group": {
        "parent": "The lookup to the parent record.",
        "root": "The lookup to the topmost one; kept by the engine.",
    },
    "Notice": {
        "on": "The lookup at which the hint appears; the record itself if not given.",
        "where": "Which records of the entity count.",
        "say": "The words; {count} and {records} are filled in.",
        "reveals": "What is shown of records that the reader may not see.",
        "level": "How grave it looks.",
    },
    "Conversion": {
        "when": "Only records that meet it can be converted.",
        "to": "The records that are made, by a name of their own.",
    },
    "ConversionTarget": {
        "entity": "What is made; the target's own name if not given.",
        "when": "Made only if this holds.",
    },
    "Form": {
        "for_": "Whether it serves creating, editing or both.",
    },
    "Tab": {"sections": "The sections under this heading, in order."},
    "View": {
        "type": "How it is laid out.",
        "where": "Which records.",
        "columns": "Which fields, in order.",
        "default": "The list that opens first.",
    },
    "Policy": {
        "rows": "Which records: an expression, or {read, write} where seeing and changing differ.",
        "actions": "What may be done with them.",
    },
    "Rows": {
        "read": "Records that are seen.",
        "write": "Records that may be changed.",
    },
    "Process": {
        "stages": "The stations, in order.",
        "transitions": "The ways between them.",
    },
    "Stage": {
        "kind": "What it has in common with stages of other processes.",
        "start": "New records stand here; the first stage if none says so.",
        "end": "The process ends here, and how.",
        "entry": "What a record must have to come in.",
        "exit": "What a record must have to leave forward.",
    },
    "Gate": {
        "fields": "Fields that must be filled.",
        "files": "File field, then how many files, or {count, accept}.",
        "related": "Collection, then how many records, or {count, where, say}.",
        "when": "An expression that must hold.",
        "rules": "Further expressions, each with words of its own.",
    },
    "FileNeed": {
        "count": "How many.",
        "accept": "Only files with these endings count.",
    },
    "RelatedNeed": {
        "count": "How many.",
        "where": "Only records that meet it count.",
        "say": "What they are called in the refusal.",
    },
    "Condition": {"when": "The expression that must hold."},
    "Transition": {
        "to": "The stage it leads to.",
        "direction": "forward; return: back; skip: past stages.",
        "when": "It can be taken only when this holds.",
        "reason": "Whether a reason is asked for.",
    },
    "Score": {
        "field": "The field of type score that holds it.",
        "terms": "What it is made of.",
        "bands": "Named ranges, which together cover 0 to 100.",
    },
    "Term": {
        "weight": "How many of the 100 points.",
        "value": "An expression from 0 to 1; cut off beyond.",
    },
    "Band": {
        "range": "Which scores.",
        "color": "How it is shown.",
    },
    "Sample": {
        "teams": "Teams, by key.",
        "people": "People, by the name they sign in with.",
        "make": "Records to be made, by entity.",
    },
    "Team": {
        "parent": "The team above it.",
        "leader": "Who leads it, by login.",
    },
    "Person": {
        "name": "The name people see.",
        "roles": "What he or she may do.",
        "team": "Where he or she works.",
        "email": "The address of mail.",
        "phone": "The number.",
    },
    "Field": {
        "type": "One of the types below.",
        "required": "Nothing is saved without it.",
        "required_when": "Required while this holds.",
        "readonly": "People do not write it.",
        "readonly_when": "Not to be changed while this holds.",
        "visible_when": "Shown while this holds; a hidden value is not asked for.",
        "formula": "The value is computed from this expression.",
        "default": "What new records begin with: a value, or user, team, today, now where the type knows them.",
        "unique": "No two records have the same value.",
        "index": "Lists filter and sort by it often.",
        "search": "Whether the search reads it.",
    },
    "Clock": {"label": "What stands above the time; the field's own label if not given."},
    "CoreAction": {"icon": "The name of a sign on the button."},
    "ScoreField": {
        "min": "Scores begin at 0.",
        "max": "Scores end at 100.",
    },
    "Column": {"lookup": "How the text finds the record that the field points to."},
    "Takeover": {"column": "The column that says the stage.", "dates": "In which order its date is written."},
    "PeopleStep": {"roles": "Roles of everybody.", "leader_roles": "Roles of those who lead a team."},
    "Step": {
        "entity": "What the rows become.",
        "people": "Users and teams instead of records.",
        "columns": "Header of the column, then the field, or more about it; null leaves the column out.",
        "dates": "In which order dates are written, where a column says nothing.",
        "pipeline": "The process that new records enter.",
        "stage": "At which stage records stand when they come in.",
    },
    "ImportMapping": {"steps": "What is done, one after the other; a mapping of one step may be written without."},
}


def meaning(shape: str, key: str) -> str:
    """What a key of a shape means; empty if nothing is said."""
    return MEANINGS.get(shape, {}).get(key) or COMMON.get(key, "")
