"""Many people for a long time: the CRM's demo with 200,000 records, asked 60 times a second, one time in five to write.

    python -m bench.endurance DATA [--minutes 10] [--rate 60] [--database URL]

DATA is the folder of an installation that holds the CRM with its demo, such as `dougong publish apps/crm.yaml` and
`dougong demo crm --size 10` make it (about 200,000 records).  Requests are due at fixed moments, and a time is counted from
the moment a request was due, so that a server that falls behind does not look quick.  Printed at the end: requests and how
long they took, answers by status, how much memory the server held at first and at last, and how busy the machine was.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bench.load import Answer, _answer, request
from bench.measure import Server, free_port
from engine.access.people import People
from engine.clock import SystemClock
from engine.storage.database import Database
from engine.web.settings import Settings

CONNECTIONS = 24
BASE = "/api/v1/crm"
PEOPLE = (
    "chenxiaowen",
    "zhangwei",
    "dingyi",
    "zhaoqian",
    "panhao",
    "liangjing",
    "linhui",
    "sunli",
    "zhouming",
    "zhengkai",
)
NAMES = "泰山华东精工恒力远大新科"
WARM = 60  # seconds before memory is looked at for the first time


@dataclass
class Person:
    """Somebody with a token, and what he has seen in lists."""

    headers: dict[str, str]
    seen: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # entity -> (id, version)


@dataclass
class Result:
    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MB, one a second

    def quantile(self, share: float) -> float:
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * share))] * 1000


Ask = tuple[bytes, Callable[[Answer], None]]


class Talk:
    """Chooses what somebody asks next."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.count = 0

    def next(self, person: Person) -> Ask:
        if self.pick.random() < 0.2:
            return self._write(person)
        reads = {self._list: 30, self._one: 20, self._search: 10, self._history: 6, self._sums: 6, self._ways: 8}
        return self.pick.choices(list(reads), list(reads.values()))[0](person)

    def _get(self, person: Person, path: str, then: Callable[[Answer], None] = lambda answer: None) -> Ask:
        return request("GET", BASE + path, person.headers), then

    def _list(self, person: Person) -> Ask:
        entity, query = self.pick.choice(
            [
                ("lead", "sort=-created_at"), ("lead", "source=expo,referral"), ("opportunity", "sort=-amount"), ("account", "sort=-updated_at"),
                ("activity", "sort=-created_at"), ("contact", ""), ("opportunity", "filter=" + quote("amount > 100000") + "&expand=account"),
            ]
        )  # fmt: skip

        def then(answer: Answer) -> None:
            if answer.status == 200:
                found = [(row["id"], row["version"]) for row in json.loads(answer.body)["records"]]
                person.seen[entity] = found or person.seen.get(entity, [])

        return self._get(person, f"/{entity}?limit=20&{query}", then)

    def _seen(self, person: Person, *entities: str) -> tuple[str, str, int] | None:
        entity = self.pick.choice(entities)
        rows = person.seen.get(entity)
        return None if not rows else (entity, *self.pick.choice(rows))

    def _one(self, person: Person) -> Ask:
        found = self._seen(person, "lead", "opportunity", "account", "contact")
        return self._get(person, f"/{found[0]}/{found[1]}") if found else self._list(person)

    def _search(self, person: Person) -> Ask:
        word = "".join(self.pick.sample(NAMES, 2))
        return self._get(person, f"/{self.pick.choice(['lead', 'account'])}?limit=20&search={quote(word)}")

    def _history(self, person: Person) -> Ask:
        found = self._seen(person, "lead", "opportunity")
        return self._get(person, f"/{found[0]}/{found[1]}/history") if found else self._list(person)

    def _sums(self, person: Person) -> Ask:
        return self._get(person, "/opportunity/aggregate?group=stage&measure.deals=" + quote("count()"))

    def _ways(self, person: Person) -> Ask:
        found = self._seen(person, "opportunity")
        return self._get(person, f"/opportunity/{found[1]}/transitions") if found else self._list(person)

    def _write(self, person: Person) -> Ask:
        self.count += 1
        found = self._seen(person, "lead")
        if found is None or self.pick.random() < 0.35:
            phone = f"13{self.pick.randrange(10**9):09}"
            body = {
                "company_name": f"{''.join(self.pick.sample(NAMES, 4))}{self.count}",
                "source": "expo",
                "phone": phone,
            }
            return request("POST", f"{BASE}/lead", person.headers, json.dumps(body).encode()), lambda answer: None
        _, id, version = found

        def then(answer: Answer) -> None:
            record = json.loads(answer.body).get("record" if answer.status == 200 else "current")
            if record:
                rows = person.seen["lead"]
                person.seen["lead"] = [(id, record["version"]) if row[0] == id else row for row in rows]

        headers = person.headers | {"If-Match": f'"{version}"'}
        body = json.dumps({"title": f"店长 {self.count}"}).encode()
        return request("PATCH", f"{BASE}/lead/{id}", headers, body), then


async def _drive(server: Server, people: list[Person], rate: float, seconds: float, result: Result) -> None:
    began = time.perf_counter()
    due = iter(range(int(rate * seconds)))

    async def connection(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**24)
        talk = Talk(number)
        for turn in due:
            at = began + turn / rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            words, then = talk.next(people[turn % len(people)])
            writer.write(words)
            answer = await _answer(reader)
            result.times.append(time.perf_counter() - at)
            result.statuses[answer.status] += 1
            if answer.status >= 500:
                result.failures.append(words.split(b"\r\n")[0].decode())
            then(answer)
        writer.close()

    async def watch() -> None:
        while time.perf_counter() - began < seconds:
            await asyncio.sleep(1)
            result.memory.append(server.memory)

    await asyncio.gather(watch(), *(connection(number) for number in range(CONNECTIONS)))


def endure(data: Path, database: str, minutes: float, rate: float) -> Result:
    settings = Settings(data=data, database=database)
    db = Database.open(settings.database_url)
    accounts = People(db, SystemClock())
    people = []
    for login in PEOPLE:
        user = accounts.find_user(login)
        assert user is not None, f"the demo has nobody called {login}"
        token = accounts.create_token(user, "endurance")[1]
        people.append(Person({"Authorization": f"Bearer {token}", "Accept-Language": "zh"}))
    db.close()
    port, result = free_port(), Result()
    command = [
        "-m",
        "engine.cli",
        "serve",
        "--database",
        settings.database_url,
        "--data",
        str(data),
        "--port",
        str(port),
    ]
    with Server(command, port, {"DOUGONG_LOG": "error"}) as server:
        asyncio.run(_drive(server, people, rate, minutes * 60, result))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--database", default="")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=60, help="requests a second (60)")
    chosen = parser.parse_args()
    before = os.getloadavg()
    began = time.perf_counter()
    result = endure(chosen.data, chosen.database, chosen.minutes, chosen.rate)
    after = os.getloadavg()
    took = time.perf_counter() - began
    print(f"{len(result.times)} requests in {took / 60:.1f} minutes, {len(result.times) / took:.1f} a second")
    print(
        "p50 {:.0f} ms, p95 {:.0f} ms, p99 {:.0f} ms".format(*(result.quantile(share) for share in (0.5, 0.95, 0.99)))
    )
    print(f"answers: {dict(sorted(result.statuses.items()))}", *result.failures[:5])
    first = result.memory[min(WARM, len(result.memory) - 1)]
    last = result.memory[-1]
    print(f"memory: {first:.0f} MB after a minute, {last:.0f} MB at the end ({(last / first - 1) * 100:+.1f} %)")
    marks = (
        [result.memory[len(result.memory) * part // 8 - 1] for part in range(1, 9)] if len(result.memory) >= 8 else []
    )
    print("memory by eighths, MB:", " ".join(f"{each:.0f}" for each in marks))
    print(
        f"load average of the machine: {before[0]:.1f} before, {after[1]:.1f} over the last five minutes, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
