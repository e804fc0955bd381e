"""What pages cost: the server's CPU for each, and how much of it goes over the line, compressed.

Drawn for the planner out of the bench's own app, to which a `sheet` is added: a form of sixty fields, and a board of 25
columns with 20 cards each.  Asked on one connection after another, as people do; nothing is compared, for nobody has
written such pages by hand.
"""

import gzip
from collections.abc import Iterator
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from bench.engine import HERE, PACKAGE, Engine
from bench.load import Answer, Conversation, repeat, request
from bench.measure import Cost, Server, median
from bench.subjects import SEARCHED

FIELDS = 60
BINS = 25
CARDS = 20
_KINDS = ("text", "integer", "date", "money", "choice", "boolean", "longtext", "phone", "lookup", "email")


def _field(number: int) -> str:
    kind = _KINDS[number % len(_KINDS)]
    more = {
        "choice": ", options: {one: {zh: 一, en: One}, two: {zh: 二, en: Two}, three: {zh: 三, en: Three}}",
        "lookup": ", to: visit",
    }.get(kind, "")
    return f"      f{number}: {{type: {kind}, label: {{zh: 字段 {number}, en: Field {number}}}{more}}}\n"


def package() -> str:
    """The app with the sheet in it."""
    bins = ", ".join(f"b{number}: {{zh: 第 {number} 格, en: Bin {number}}}" for number in range(BINS))
    sheet = (
        "  sheet:\n    label: {zh: 表单, en: Sheet}\n    title: name\n    fields:\n"
        "      name: {type: text, required: true, label: {zh: 名称, en: Name}}\n"
        f"      bin: {{type: choice, label: {{zh: 格, en: Bin}}, options: {{{bins}}}}}\n"
        + "".join(map(_field, range(FIELDS - 2)))
        + "\nviews:\n  bins:\n    entity: sheet\n    label: {zh: 格子, en: Bins}\n    columns: [name, f3]\n    group: bin\n"
    )
    rights = '    sheet: {rows: "true", actions: [read, create, update]}\n'
    text = PACKAGE.read_text(encoding="utf-8")
    text = text.replace("views:\n", sheet, 1)
    return text.replace("    job: {rows:", rights + "    job: {rows:", 1)


def _sheets() -> Iterator[dict[str, object]]:
    for number in range(BINS * CARDS):
        yield {
            "name": f"S{number}",
            "bin": f"b{number % BINS}",
            "f0": f"text {number}",
            "f1": number,
            "f3": number * 1.5,
        }


class Pages:
    """The engine with a server on it, asked for pages."""

    def __init__(self, url: str, size: int) -> None:
        self.engine = Engine(url, {PACKAGE.name: package()})
        self.engine.prepare(size)
        self.visit = self.engine.ids[0]
        self.engine.fill(self.engine.app(), "sheet", _sheets())
        self.engine.analyze()

    def asked(self) -> dict[str, tuple[str, int]]:
        """Title -> address, and how often it is asked."""
        listed, words = "/bench/visit?view=newest", quote(SEARCHED)
        return {
            "list of 50": (listed, 60),
            "record": (f"/bench/visit/{self.visit}", 60),
            f"board of {BINS * CARDS} cards": ("/bench/sheet/board?view=bins", 12),
            f"form of {FIELDS} fields": ("/bench/sheet/new", 40),
            "next page": ("", 60),
            "filter": (f"{listed}&f.state=planned&f.region=north", 60),
            "search": (f"{listed}&q={words}", 12),
            "lookup": (f"/bench/sheet/choices?field=f8&q={words}", 12),
            "API: list of 50": (f"{HERE}?view=newest", 60),
        }

    def conversation(self, address: str, times: int, sizes: list[int]) -> Conversation:
        def told(answer: Answer) -> None:
            sizes[:] = [len(answer.body), len(gzip.compress(answer.body, 6))]

        if address:
            for number, words in enumerate(repeat(times, lambda _: request("GET", address, self.engine.headers))):
                answer = yield words
                if not number:
                    told(answer)
            return
        here = "/bench/visit?view=newest"
        for number in range(times):
            answer = yield request("GET", here, self.engine.headers)
            page = answer.body.decode()
            after = page.partition('rel="next"')[0].rpartition("cursor=")[2].partition('"')[0]
            here = f"/bench/visit?view=newest&cursor={after}" if after else "/bench/visit?view=newest"
            if not number:
                told(answer)


def pages(console: Console, kind: str, url: str, size: int, rounds: int) -> None:
    """Fill, ask, print."""
    subject = Pages(url, size)
    table = Table("page", "CPU ms", "p99 ms", "bytes", "compressed", title=f"pages, {size:,} visits, {kind}")
    with subject.engine.serve() as server:
        for title, (address, times) in subject.asked().items():
            sizes: list[int] = []
            _one(server, subject, address, 2, sizes)
            costs = [_one(server, subject, address, times, sizes) for _ in range(rounds)]
            middle = median(costs)
            table.add_row(title, f"{middle.cpu:.2f}", f"{middle.p99:.1f}", *(f"{each:,}" for each in sizes))
    console.print(table)


def _one(server: Server, subject: Pages, address: str, times: int, sizes: list[int]) -> Cost:
    return server.cost([subject.conversation(address, times, sizes)])


__all__ = ["pages"]
