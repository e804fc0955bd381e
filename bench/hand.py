"""What a good programmer writes by hand for one table: FastAPI, SQLAlchemy Core, Pydantic; nothing generic.

This is the limit that the engine is held against, so it is not slowed: one process, queries inline in the event loop,
statements of a fixed shape built once, the token looked up in memory, the same row filter and the same validation as
the engine's app package (`bench/app.yaml`), the same durability. It keeps no history, raises no events, computes no
formula.

    python -m bench.hand DATABASE_URL PORT
"""

import hashlib
import sys
import time
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from bench.rows import REGIONS, SOURCES, STATES

TOKEN = "bench"
PEOPLE = {hashlib.sha256(TOKEN.encode()).digest(): 7}
COPIED = ("title", "phone", "email", "state", "region", "source", "quantity", "due_on", "sealed", "crew", "note")

metadata = sa.MetaData()
visit = sa.Table(
    "visit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("cents", sa.BigInteger, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("sealed", sa.Boolean, nullable=False),
    sa.Column("crew", sa.Integer, nullable=False),
    sa.Column("note", sa.Text),
)
# What a careful person adds after looking at the slow list.
composite = sa.Index("visit_by_state_and_region", visit.c.state, visit.c.region, visit.c.created_at, visit.c.id)
visit.indexes.remove(composite)

may_see = visit.c.sealed == sa.false()
one = sa.select(visit).where(visit.c.id == sa.bindparam("id"), may_see)
sums = (
    sa.select(visit.c.state, sa.func.count().label("visits"), sa.func.sum(visit.c.cents).label("cents"))
    .where(may_see)
    .group_by(visit.c.state)
)
insert = sa.insert(visit).returning(visit)
insert_many = sa.insert(visit)

Phone = Annotated[str, Field(pattern=r"^\+?[0-9 -]{5,20}$")]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]


class NewVisit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    phone: Phone | None = None
    email: Email | None = None
    state: Literal[STATES] = "planned"  # type: ignore[valid-type]
    region: Literal[REGIONS]  # type: ignore[valid-type]
    source: Literal[SOURCES] | None = None  # type: ignore[valid-type]
    amount: Amount
    quantity: int = Field(ge=0, le=100_000)
    due_on: date
    sealed: bool = False
    crew: int = Field(ge=1, le=100)
    note: str | None = Field(None, max_length=2000)


class VisitChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field("", min_length=1, max_length=200)
    phone: Phone | None = None
    email: Email | None = None
    state: Literal[STATES] = "planned"  # type: ignore[valid-type]
    region: Literal[REGIONS] = "north"  # type: ignore[valid-type]
    source: Literal[SOURCES] | None = None  # type: ignore[valid-type]
    amount: Amount = Decimal(0)
    quantity: int = Field(0, ge=0, le=100_000)
    due_on: date = date.min
    sealed: bool = False
    crew: int = Field(1, ge=1, le=100)
    note: str | None = Field(None, max_length=2000)


class Visit(NewVisit):
    id: int
    version: int
    created_at: int


class Page(BaseModel):
    items: list[Visit]
    next: str | None


class StateSum(BaseModel):
    state: str
    visits: int
    amount: Decimal


async def person(authorization: Annotated[str, Header()] = "") -> int:
    found = PEOPLE.get(hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest())
    if found is None:
        raise HTTPException(401)
    return found


Person = Annotated[int, Depends(person)]


def columns(given: dict[str, Any]) -> dict[str, Any]:
    if "amount" in given:
        given["cents"] = int(given.pop("amount") * 100)
    return given


def shown(row: sa.RowMapping) -> dict[str, Any]:
    out = dict(row)
    out["amount"] = Decimal(out.pop("cents")).scaleb(-2)
    return out


def connect(url: str) -> sa.Engine:
    """SQLite with the durability and the cache that the engine gives it; PostgreSQL through psycopg."""
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _pragmas(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -8000")

    return engine


def application(url: str) -> FastAPI:
    engine = connect(url)
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/visits/sums")
    async def sum_by_state(_: Person) -> list[StateSum]:
        with engine.connect() as connection:
            rows = connection.execute(sums).mappings().all()
        return [StateSum(state=r["state"], visits=r["visits"], amount=Decimal(r["cents"]).scaleb(-2)) for r in rows]

    @app.get("/visits/{id}", response_model=Visit)
    async def get_visit(id: int, response: Response, _: Person) -> dict[str, Any]:
        with engine.connect() as connection:
            row = connection.execute(one, {"id": id}).mappings().first()
        if row is None:
            raise HTTPException(404)
        response.headers["ETag"] = f'"{row["version"]}"'
        return shown(row)

    @app.get("/visits", response_model=Page)
    async def list_visits(
        _: Person,
        state: str | None = None,
        region: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        wanted = sa.select(visit).where(may_see).order_by(visit.c.created_at.desc(), visit.c.id.desc()).limit(limit)
        if state:
            wanted = wanted.where(visit.c.state == state)
        if region:
            wanted = wanted.where(visit.c.region == region)
        if q:
            wanted = wanted.where(visit.c.title.contains(q, autoescape=True))
        if after:
            created_at, id = map(int, after.split("."))
            wanted = wanted.where(sa.tuple_(visit.c.created_at, visit.c.id) < sa.tuple_(created_at, id))
        with engine.connect() as connection:
            rows = connection.execute(wanted).mappings().all()
        last = f"{rows[-1]['created_at']}.{rows[-1]['id']}" if len(rows) == limit else None
        return {"items": [shown(row) for row in rows], "next": last}

    @app.post("/visits", status_code=201, response_model=Visit)
    async def create_visit(new: NewVisit, response: Response, _: Person) -> dict[str, Any]:
        values = columns(new.model_dump()) | {"version": 1, "created_at": time.time_ns() // 1000}
        with engine.begin() as connection:
            row = connection.execute(insert, values).mappings().one()
        response.headers["ETag"] = '"1"'
        return shown(row)

    @app.patch("/visits/{id}", response_model=Visit)
    async def change_visit(
        id: int, change: VisitChange, if_match: Annotated[str, Header()], response: Response, _: Person
    ) -> dict[str, Any]:
        version = int(if_match.strip('"'))
        statement = (
            sa.update(visit)
            .where(visit.c.id == id, visit.c.version == version, may_see)
            .values(**columns(change.model_dump(exclude_unset=True)), version=version + 1)
            .returning(visit)
        )
        with engine.begin() as connection:
            row = connection.execute(statement).mappings().first()
            if row is None:
                raise HTTPException(409 if connection.execute(one, {"id": id}).first() else 404)
        response.headers["ETag"] = f'"{row["version"]}"'
        return shown(row)

    @app.post("/visits/import")
    async def import_visits(rows: list[NewVisit], _: Person) -> dict[str, int]:
        now = time.time_ns() // 1000
        values = [columns(row.model_dump()) | {"version": 1, "created_at": now} for row in rows]
        with engine.begin() as connection:
            connection.execute(insert_many, values)
        return {"imported": len(rows)}

    return app


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), port=int(sys.argv[2]), log_level="warning", access_log=False)
