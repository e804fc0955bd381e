"""A real sales history, typos and gaps included, comes in whole: as many deals and as much money as the file says."""

import csv
import os
from collections import Counter
from pathlib import Path
from time import perf_counter

import pytest
import sqlalchemy as sa

from engine.access.people import People
from engine.clock import SystemClock
from engine.definition import load
from engine.exchange import bring
from engine.exchange.mapping import load_mapping
from engine.publishing.apply import publish
from engine.publishing.live import Live
from engine.runtime import Runtime
from engine.storage.database import Database

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DOUGONG_CRM_SALES") or ROOT.parent / "shared" / "data" / "crm-sales")


@pytest.mark.skipif(
    not (DATA / "sales_pipeline.csv").is_file(), reason="the public data set is not there (DOUGONG_CRM_SALES)"
)
def test_the_public_sales_history_comes_in_whole_and_only_once(database: Database, tmp_path: Path) -> None:
    clock = SystemClock()
    publish(database, load(ROOT / "apps" / "crm.yaml"), clock)
    live = Live(database)
    app = live.app("crm")
    assert app is not None
    people, runtime = People(database, clock), Runtime(database, clock)
    boss = people.create_user("boss", "Boss")
    people.set_roles(boss, "crm", [next(name for name, role in app.definition.roles.items() if role.administrator)])
    principal = people.principal(boss, "crm", app.policies)
    assert principal is not None
    mapping = load_mapping(ROOT / "apps" / "crm" / "imports" / "crm_sales.yaml")
    path = DATA / "sales_pipeline.csv"
    start = perf_counter()
    report = bring(runtime, app, principal, path, mapping, people=people, refused=tmp_path / "left.csv")
    print(f"{sum(step.rows for step in report.steps) / (perf_counter() - start):.0f} rows/s")
    assert [(step.entity, step.refused, step.unknown) for step in report.steps] == [
        ("user", 0, ()),
        ("product", 0, ()),
        ("account", 0, ()),
        ("opportunity", 0, ()),
    ]
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    said = Counter(row["deal_stage"].lower() for row in rows)
    table = app.entities["opportunity"]
    stage, amount = table.table.c.stage, table.table.c[table.columns["amount"]]
    found = {
        row[0]: (row[1], row[2])
        for row in database.all(
            database.statement(
                sa.select(stage, sa.func.count(), sa.cast(sa.func.sum(amount), sa.BigInteger())).group_by(stage)
            )
        )
    }
    assert {name: count for name, (count, _) in found.items()} == dict(said)
    for name in ("won", "lost"):
        assert (
            found[name][1]
            == sum(int(row["close_value"] or 0) for row in rows if row["deal_stage"].lower() == name) * 100
        )
    owners = database.scalar(
        database.statement(sa.select(sa.func.count(sa.distinct(table.table.c[table.columns["owner"]]))))
    )
    assert owners == len({row["sales_agent"] for row in rows}), "every agent has his own deals"
    again = bring(runtime, app, principal, path, mapping, people=people)
    assert (again.created, again.updated, again.refused) == (0, 0, 0)
    live.close()
