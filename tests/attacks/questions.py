"""Random questions to the twins' app, and random mischief. The same seed and number make the same request, always."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from tests.attacks.twins import ASKING, CSRF, SECRET_WORDS, WORDS, Request, Twin

FIELDS = {
    "customer": ["name", "phone", "notes", "secret_note", "credit", "double_credit", "owner", "rating", "region", "health", "health_detail"],
    "order": [
        "title", "customer", "broker", "owner", "amount", "margin", "margin_rate", "risk", "flagged", "last_day", "remark", "urgent", "due", "channel",
        "papers", "contract", "lines", "total", "profit", "stage", "stage_entered_at",
    ],
    "line": ["order", "product", "price", "cost"],
}  # fmt: skip
COMMON = ["id", "version", "created_at", "created_by", "updated_at", "deleted_at", "search", "nargin", "dragon"]
PATHS = {
    "customer": ["orders.margin", "orders.amount", "brokered.title", "owner.name", "owner.password", "orders.lines.price"],
    "order": ["customer.name", "customer.credit", "customer.secret_note", "customer.phone", "customer.notes", "broker.name", "customer.rating",
              "lines.price", "lines.cost", "owner.team", "customer.orders.margin", "created_by.name"],
    "line": ["order.title", "order.margin", "order.customer.credit", "order.customer.name", "order.amount"],
}  # fmt: skip
# What each of those who ask may see, and of which type it is.
SEEN = {
    "rep": {
        "customer": {"name": "text", "phone": "text", "notes": "text", "owner": "user", "rating": "number", "region": "choice"},
        "order": {"title": "text", "customer": "customer", "owner": "user", "amount": "number", "urgent": "boolean", "due": "date", "channel": "choice",
                  "total": "number", "stage": "choice"},
        "line": {"order": "order", "product": "text", "price": "number"},
    },
    "clerk": {
        "customer": {"name": "text", "owner": "user", "rating": "number", "region": "choice"},
        "order": {"title": "text", "customer": "customer", "owner": "user", "amount": "number", "urgent": "boolean", "due": "date", "channel": "choice",
                  "stage": "choice"},
        "line": {},
    },
}  # fmt: skip
SEES = {"ann": "rep", "pia": "rep", "cleo": "clerk", "eve": "clerk"}
ACROSS = {
    "customer": {"count(orders)": "number", "sum(orders.amount)": "number", "max(orders.due)": "date", "count(orders where urgent)": "number", "owner.name": "text",
                 "count(orders where title == 'x' or amount > 50)": "number"},
    "order": {"customer.name": "text", "customer.rating": "number", "customer.region": "choice", "count(customer.orders)": "number", "owner.name": "text",
              "sum(customer.orders.amount)": "number", "count(lines)": "number", "sum(lines.price)": "number", "customer.notes": "text", "customer.phone": "text"},
    "line": {"order.title": "text", "order.amount": "number", "order.customer.name": "text", "order.customer.rating": "number", "count(order.lines)": "number"},
}  # fmt: skip
OPERATORS = ["==", "!=", "<", "<=", ">", ">="]


class Asker:
    """Makes requests out of one source of chance. `known` are ids by kind."""

    def __init__(self, rnd: random.Random, twin: Twin, logins: Sequence[str] = ASKING) -> None:
        self.rnd, self.known, self.logins = rnd, twin.known, logins
        self.entity = rnd.choice(["customer", "order", "order", "line"])
        self.login = rnd.choice(logins) if rnd.random() < 0.95 else "nil"
        # Most ask for what they see: an answer that is refused before anything is read tells little.
        self.honest = rnd.random() < 0.7 and bool(SEES.get(self.login))
        if self.honest and not self.seen:
            self.entity = "order"
        self.theirs = twin.theirs[self.login]

    # -- expressions -----------------------------------------------------------------------------------------------

    @property
    def seen(self) -> Mapping[str, str]:
        return SEEN[SEES[self.login]][self.entity]

    def field(self) -> str:
        if self.honest and self.rnd.random() < 0.97:
            return self.rnd.choice([*self.seen, *self.seen, "id", "created_at"])
        return self.rnd.choice([*FIELDS[self.entity] * 2, *COMMON, *PATHS[self.entity]])

    def literal(self) -> str:
        rnd = self.rnd
        return rnd.choice(
            [
                str(rnd.randrange(2000)), str(rnd.randrange(-5, 11)), f"{rnd.randrange(10)}.5", "true", "false", "null", "user", "today()",
                f"'{rnd.choice(SECRET_WORDS)}'", f"'{rnd.choice(WORDS)}'", f"'{rnd.choice(['low', 'high', 'web', 'north', 'new', 'packed'])}'",
                f"'2026-0{rnd.randrange(3, 7)}-{rnd.randrange(1, 29):02}'", f"date(2026, {rnd.randrange(3, 7)}, {rnd.randrange(1, 29)})",
                f"'{rnd.choice(self.known['customer'] or ['1'])}'",
            ]
        )  # fmt: skip

    def fitting(self) -> str:
        """A condition whose types fit each other."""
        rnd = self.rnd
        name, kind = rnd.choice(list((self.seen | (ACROSS[self.entity] if rnd.random() < 0.4 else {})).items()))
        operator, equal = rnd.choice(OPERATORS), rnd.choice(["==", "!="])
        match kind:
            case "number":
                return f"{name} {operator} {rnd.choice([rnd.randrange(12), rnd.randrange(500), rnd.randrange(2000)])}"
            case "date":
                return f"{name} {operator} date(2026, {rnd.randrange(3, 7)}, {rnd.randrange(1, 29)})"
            case "text":
                word = rnd.choice(WORDS + SECRET_WORDS)
                return rnd.choice(
                    [
                        f"contains({name}, '{word}')",
                        f"starts_with({name}, '{word[:2]}')",
                        f"{name} {operator} '{word}'",
                        f"len({name}) > {rnd.randrange(20)}",
                    ]
                )
            case "boolean":
                return rnd.choice([name, f"not {name}"])
            case "choice":
                return f"{name} {equal} '{rnd.choice(['north', 'south'] if 'region' in name else ['web', 'store'] if name == 'channel' else ['new', 'packed'])}'"
            case "user":
                return f"{name} {equal} user"
            case _:
                return (
                    f"{name} {equal} '{rnd.choice(self.known[kind])}'"
                    if rnd.random() < 0.5
                    else f"{name} is {rnd.choice(['', 'not '])}null"
                )

    def term(self) -> str:
        rnd, name = self.rnd, self.field()
        many = {"customer": ["orders", "brokered"], "order": ["lines", "customer.orders"], "line": ["order.lines"]}[
            self.entity
        ]
        inner = rnd.choice(["amount", "margin", "price", "cost", "profit", "title"])
        return rnd.choice(
            [
                name, name, name, f"{name} + 1", f"{name} * 2", f"({name} or 0)", f"lower({name})", f"len({name})", f"count({rnd.choice(many)})",
                f"sum({rnd.choice(many)}.{inner})", f"max({rnd.choice(many)}.{inner})", f"count({rnd.choice(many)} where {inner} > {self.literal()})",
                f"coalesce({name}, {self.literal()})", f"IF({name} is null, 1, 2)", f"min({name}, 5)",
            ]
        )  # fmt: skip

    def condition(self, depth: int = 2) -> str:
        rnd = self.rnd
        if depth and rnd.random() < 0.3:
            joined = f"{self.condition(depth - 1)} {rnd.choice(['and', 'or'])} {self.condition(depth - 1)}"
            return rnd.choice([joined, f"not ({joined})"])
        if self.honest and rnd.random() < 0.95:
            return self.fitting()
        name = self.field()
        return rnd.choice(
            [
                f"{self.term()} {rnd.choice(OPERATORS)} {self.literal()}", f"{self.term()} {rnd.choice(OPERATORS)} {self.term()}", name,
                f"{name} is null", f"{name} is not null", f"contains({name}, '{rnd.choice(SECRET_WORDS)[:3]}')",
                f"starts_with({name}, '{rnd.choice(WORDS)[:2]}')", f"{name} in [{self.literal()}, {self.literal()}]",
                f"{name} == {self.literal()}",
            ]
        )  # fmt: skip

    # -- questions -------------------------------------------------------------------------------------------------

    def value(self) -> str:
        return self.literal().strip("'")

    def some(self, make: Callable[[], str], most: int = 3) -> str:
        return ",".join(make() for _ in range(self.rnd.randrange(1, most + 1)))

    def choosing(self) -> dict[str, str]:
        """Parameters that say which records."""
        rnd, found = self.rnd, dict[str, str]()
        if rnd.random() < 0.5:
            found["filter"] = self.condition()
        if rnd.random() < 0.2:
            found[self.field()] = self.value()
        if rnd.random() < 0.1:
            found[rnd.choice(["title", "name", "product"])] = rnd.choice(WORDS)
        if rnd.random() < 0.2:
            found["search"] = rnd.choice([*WORDS, *SECRET_WORDS, "139", "138", str(rnd.randrange(1000))])
        if rnd.random() < 0.1:
            found["view"] = "urgent" if self.entity == "order" else rnd.choice(["by_region", "urgent", "nothing"])
        if rnd.random() < 0.1:
            found["deleted"] = rnd.choice(["true", "false"])
        return found

    def expansion(self) -> str:
        own = {
            "customer": ["owner", "orders", "orders.lines"],
            "order": ["customer", "owner", "customer.orders", "lines"],
            "line": ["order", "order.customer"],
        }
        if self.honest:
            return self.rnd.choice([path for path in own[self.entity] if path != "lines" or "total" in self.seen])
        return self.rnd.choice([*own[self.entity], "broker", "brokered", "broker.owner", self.field()])

    def sorting(self) -> str:
        return self.some(lambda: self.rnd.choice(["", "-"]) + self.field())

    def list(self) -> tuple[str, dict[str, str]]:
        rnd, asked = self.rnd, self.choosing()
        for name, chance, make in (
            ("sort", 0.4, self.sorting),
            ("fields", 0.3, lambda: self.some(self.field)),
            ("expand", 0.25, lambda: self.some(self.expansion)),
            ("limit", 0.5, lambda: str(rnd.randrange(1, 12))),
            ("count", 0.3, lambda: "1000"),
        ):  # fmt: skip
            if rnd.random() < chance:
                asked[name] = make()
        if rnd.random() < 0.3 and "sort" not in asked:
            asked["sort"] = rnd.choice(["", "-"]) + rnd.choice(list(self.seen) if self.honest else [self.field()])
        return f"/{self.entity}", asked

    def one(self) -> str:
        kinds = (self.honest and self.theirs[self.entity]) or self.known[self.entity]
        return self.rnd.choice(kinds) if kinds and self.rnd.random() < 0.95 else str(self.rnd.randrange(1, 1 << 42))

    def record(self) -> tuple[str, dict[str, str]]:
        rnd, path = self.rnd, f"/{self.entity}/{self.one()}"
        asked: dict[str, str] = {}
        if rnd.random() < 0.3:
            asked["fields"] = self.some(self.field)
        if rnd.random() < 0.3:
            asked["expand"] = self.some(self.expansion)
        if rnd.random() < 0.1:
            asked["deleted"] = "true"
        return path, asked

    def beside(self) -> tuple[str, dict[str, str]]:
        rnd = self.rnd
        path = f"/{self.entity}/{self.one()}"
        kind = rnd.choice(["history", "stages", "transitions", "explain", "duplicates", f"files/{self.field()}"])
        asked = {}
        if kind == "explain":
            asked = {"action": rnd.choice(["read", "update", "delete", "export"])} | (
                {"field": self.field()} if rnd.random() < 0.7 else {}
            )
        return f"{path}/{kind}", asked

    def aggregate(self) -> tuple[str, dict[str, str]]:
        rnd, asked = self.rnd, self.choosing()
        if rnd.random() < 0.6:
            asked["group"] = self.some(self.field, 2)
        for number in range(rnd.randrange(3)):
            asked[f"measure.m{number}"] = rnd.choice(
                ["count()", f"{rnd.choice(['sum', 'min', 'max', 'avg', 'count'])}({self.measured()})"]
            )
        return f"/{self.entity}/aggregate", asked

    def measured(self) -> str:
        if not self.honest:
            return self.term()
        numbers = [name for name, kind in (self.seen | ACROSS[self.entity]).items() if kind == "number"]
        return self.rnd.choice([f"{name}{more}" for name in numbers for more in ("", " * 2", " + 1")])

    def export(self) -> tuple[str, dict[str, str]]:
        asked = self.choosing()
        if self.rnd.random() < 0.4:
            asked["fields"] = self.some(self.field)
        if self.rnd.random() < 0.4:
            asked["sort"] = self.sorting()
        return f"/{self.entity}/export.{'xlsx' if self.rnd.random() < 0.1 else 'csv'}", asked

    def elsewhere(self) -> tuple[str, dict[str, str]]:
        rnd = self.rnd
        file = rnd.choice(self.known["files"] or ["1"])
        return rnd.choice(
            [
                (f"/{self.entity}/choices/{self.field()}", {"text": rnd.choice([*WORDS, *SECRET_WORDS, ""])}),
                (f"/{self.entity}/duplicates", {}),
                (f"/files/{file}", {}),
                ("/openapi.json", {}),
                ("/user", {"search": rnd.choice(["a", "bob"])}),
            ]
        )  # fmt: skip

    def question(self) -> Request:
        """A question to the API."""
        ways = (
            [self.list] * 8
            + [self.aggregate] * 4
            + [self.record] * 2
            + [self.beside] * 3
            + [self.export] * 2
            + [self.elsewhere]
        )
        path, asked = self.rnd.choice(ways)()
        language = {"accept-language": "zh"} if self.rnd.random() < 0.2 else {}
        return Request(self.login, "GET", _address("/api/v1/twins" + path, asked), language)

    # -- pages -----------------------------------------------------------------------------------------------------

    def page(self) -> Request:
        """A page of the browser's."""
        rnd, one = self.rnd, self.one()
        asked: dict[str, str] = {}
        path = rnd.choice(
            [
                f"/{self.entity}", f"/{self.entity}", f"/{self.entity}", f"/{self.entity}/{one}", f"/{self.entity}/{one}", f"/{self.entity}/{one}/edit", f"/{self.entity}/new", "/",
                "/my-page", f"/{self.entity}/{one}/move/new_to_packed", f"/{self.entity}/choices", f"/{self.entity}/autofill", f"/{self.entity}/notices",
                f"/{self.entity}/{one}/merge/{self.one()}", "/", "/my-card", "/my-card", "/my-search", "/my-help", "/my-changes", "/manifest.webmanifest",
            ]
        )  # fmt: skip
        if path in OF_THE_APP:
            return Request(self.login, "GET", _address("/twins" + path, OF_THE_APP[path](self, one)))
        if path == f"/{self.entity}":
            for name, chance, make in (
                ("where", 0.3, self.condition), ("q", 0.2, lambda: rnd.choice([*WORDS, *SECRET_WORDS])), ("sort", 0.3, lambda: rnd.choice(["", "-"]) + self.field()),
                (f"f.{self.field()}", 0.3, self.value), (f"f.{self.field()}.from", 0.2, self.value), ("columns", 0.2, self.field), ("view", 0.2, lambda: rnd.choice(["all", "urgent", "by_region"])),
                ("deleted", 0.05, lambda: "1"),
            ):  # fmt: skip
                if rnd.random() < chance:
                    asked[name] = make()
        elif path.endswith(("/choices", "/autofill", "/notices")):
            asked = {
                "field": self.field(),
                "text": rnd.choice([*WORDS, *SECRET_WORDS, ""]),
                "value": one,
                "id": one,
                "q": rnd.choice(WORDS),
            }
        elif rnd.random() < 0.3:
            asked["tab"] = rnd.choice(["history", "lines", "orders", "related"])
        return Request(self.login, "GET", _address("/twins" + path, asked))

    def card(self) -> str:
        return self.rnd.choice("core urgent dear last risky calls rich orders margin profit channels risks brokers customers sale gates alike find recent starred nothing".split())  # fmt: skip

    # -- writes ----------------------------------------------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        rnd = self.rnd
        return {
            self.field(): rnd.choice(
                [self.value(), rnd.randrange(500), None, True, [], {}, rnd.choice(self.known["customer"] or ["1"])]
            )
            for _ in range(rnd.randrange(1, 4))
        }

    def write(self) -> Request:
        """A change, most of which are refused."""
        rnd, base = self.rnd, f"/{self.entity}"
        one = f"{base}/{self.one()}"
        version = rnd.randrange(1, 5)
        method, path, body = rnd.choice(
            [
                ("POST", base, self.values() | ({"name": "New", "title": "New"} if rnd.random() < 0.3 else {})),
                ("PATCH", one, self.values()), ("PATCH", one, self.values()), ("DELETE", one, None),
                ("POST", f"{one}/transitions", {"to": rnd.choice(["packed", "shipped", "new"])}),
                ("POST", f"{one}/merge", {"lose": self.one()}), ("POST", f"{one}/duplicates", {"other": self.one()}),
                ("POST", f"{base}/bulk", {"atomic": rnd.random() < 0.5, "commands": [{"action": "update", "id": self.one(), "version": version, "values": self.values()} for _ in range(3)]}),
                ("POST", f"{one}/restore", {}), ("POST", "/undo", {"batch": str((1 << 40) + 2_000_000 + rnd.randrange(100))}),
            ]
        )  # fmt: skip
        headers = {"content-type": "application/json"} | ({"if-match": f'"{version}"'} if rnd.random() < 0.9 else {})
        return Request(
            rnd.choice(self.logins),
            method,
            "/api/v1/twins" + path,
            headers,
            None if body is None else json.dumps(body).encode(),
        )

    def posted(self) -> Request:
        """A form of a page."""
        rnd, base = self.rnd, f"/twins/{self.entity}"
        path = rnd.choice([f"{base}/new", f"{base}/{self.one()}/edit", f"{base}/{self.one()}/delete", f"{base}/{self.one()}/move/new_to_packed",
                           f"{base}/{self.one()}/restore", f"{base}/{self.one()}/merge/{self.one()}", f"{base}/{self.one()}/star"])  # fmt: skip
        form = {name: str(value) for name, value in self.values().items()} | {"~version": str(rnd.randrange(1, 5))}
        body = urlencode(form).encode() + b"&csrf=" + (CSRF if rnd.random() < 0.95 else b"x")
        return Request(
            rnd.choice(self.logins), "POST", path, {"content-type": "application/x-www-form-urlencoded"}, body
        )


def _address(path: str, asked: Mapping[str, str]) -> str:
    return quote(path, safe="/%~") + (f"?{urlencode(asked)}" if asked else "")


# What pages of the whole app may be asked for.
OF_THE_APP: dict[str, Callable[[Asker, str], dict[str, str]]] = {
    "/": lambda asker, one: {"all": "1"},
    "/my-card": lambda asker, one: {"home": "desk", "card": asker.card()},
    "/my-search": lambda asker, one: {"q": asker.rnd.choice([*WORDS, *SECRET_WORDS, ""])},
    "/my-help": lambda asker, one: {"on": asker.entity},
    "/my-changes": lambda asker, one: {"on": f"{asker.entity}:{one}", "since": "0"},
}
