"""Records in files: import, export, and the making of demo data.

    report = bring(runtime, app, principal, Path("orders.csv"), mapping_of(...) or entity="order", refused=Path("left.csv"))
    count = take(runtime, app, principal, "order", Query(view="open"), "xlsx", file)
    counts = populate(runtime, people, app)

Everything that comes in goes through the write path, as if the person had typed it: permissions, validation, defaults,
formulas, rules, likely duplicates, journal.  Everything that goes out goes through his lens.  A file that was exported
comes back equal: its headers are known, its cells are read as they were written.
"""

from engine.exchange.bring import Report, StepReport, bring
from engine.exchange.mapping import ImportMapping, mapping_of, mapping_schema, read_mapping
from engine.exchange.suggest import Suggestion, suggest
from engine.exchange.tables import open_table
from engine.exchange.take import stream_csv, take, template

__all__ = [
    "ImportMapping", "Report", "StepReport", "Suggestion", "bring", "mapping_of", "mapping_schema", "open_table", "read_mapping", "stream_csv",
    "suggest", "take", "template",
]  # fmt: skip
