"""Requests that nobody should send: every address of the API and of the pages, with values that break things elsewhere."""

import json
import random
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from tests.attacks.conftest import PDF, PNG
from tests.attacks.questions import COMMON, FIELDS, PATHS, Asker
from tests.attacks.twins import CSRF, Request, Twin

LOGINS = ("max", "max", "max", "ann", "pia", "cleo")
TEXTS = [
    "", " ", "\t", "\n", "\x00", "a\x00b", "\x7f", "\ufeff", "\u200b", "\u202e", "\ud800", "\udfff", "é", "e\u0301", "ﬁ", "İ", "ß", "客户", "🦊", "👨‍👩‍👧", "x" * 300, "x" * 5000, "客" * 3000,
    "null", "true", "NaN", "Infinity", "-0", "0", "1", "-1", "1.5", "1e3", "1e999", "1e-999", "0x10", "１２", "٣", "²", "9" * 19, "9" * 30, "9" * 5000, "9223372036854775807",
    "9223372036854775808", "-9223372036854775809", "0.1", "1.005", "1,000", "2026-02-29", "2026-02-30", "0000-00-00", "9999-12-31", "10000-01-01", "0001-01-01", "2026-03-02T25:00:00Z",
    "2026-03-02T02:00:00Z", "2026-03-02T02:00:00+99:99", "24:00", "'", '"', "\\", "%", "_", "%00", "%ff", "' OR 1=1--", "'; DROP TABLE dg_user; --", "{{7*7}}", "${7*7}", "=1+1", "@x",
    "<script>alert(1)</script>", "javascript:alert(1)", "../../etc/passwd", "..%2f", "a/b", "a?b", "a#b", "a;b", "a&b=c", "__class__", "__proto__", "constructor", "nan", "()", "[]", "{}", "*", "~",
    "+86 138 0013 8000", "a@b", "|a|", "||", ",", ",,,", "-", "--", "amount,", "-amount,-amount", "order by 1", "1 == 1", "true == 1", "not", "(" * 200, "a." * 50 + "a", "user", "today()",
    "now()", "1/0", "9 ** 9", "sum(lines.price)", "count(lines)", "power(9, 99)", "left('a', -1)", "date(2026, 13, 45)", "date(99999, 1, 1)", "amount == 'x'", "title > 5", "amount > 1e30",
    "amount == 9999999999999999999", "due > '2026-02-30'", "contains(title, '')", "title in []", "amount in [1, null]", "len(title) > 9223372036854775807", "round(amount, 50)", "amount * 1e20 > 1",
]  # fmt: skip
NUMBERS = ["0", "-0", "1", "-1", "0.1", "1.005", "1e2", "1E400", "-1E400", "1e-400", "NaN", "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808", "1" * 400, "0.000000000000000001",
           "123456789012345678.123456789", "12345678901234567890", "1e40", "1e41"]  # fmt: skip
YAMLS = [
    "a: &a [1]\nb: *a", "!!python/object/apply:os.system ['id']", "a: 1\na: 2", "entity: order\nmatch: title\nfields: {title: title}", "steps: []", "[" * 3000, "a: !x 1", "\x00", "entity: nothing",
    '{"entity": "order", "columns": {}}', '{"a": NaN}', "entity: order\nfile: /etc/passwd", "steps:\n- {entity: order, file: ../x, columns: {title: title}}", "- 1", "x", "a: {<<: {b: 1}}",
]  # fmt: skip
CSVS = [
    b"", b"\n", b"title\n", b"title,amount\nA,1\n", b"Title,Amount\nA,1\nB,x\nC,1e999\n", b"Title\n\x00\n", b"Title\n\xff\xfe\n", b"\xff\xfeT\x00", b"Title;Amount\na;b;c;d\n", b'Title\n"unclosed\n', b"Title\n" + b"x" * 70_000,
    b"Title,Title\na,b\n", b"," * 3000, "标题,金额\n甲,1\n".encode(), "标题\n甲\n".encode("gbk"), b"PK\x03\x04", b"PK\x03\x04" + b"\x00" * 100, PDF, b"Title,Customer\nA,nobody\n",
]  # fmt: skip
METHODS = ["GET", "GET", "GET", "POST", "POST", "PATCH", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"]
KINDS = ["application/json"] * 8 + [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "application/merge-patch+json",
    "",
    "application/json; charset=utf-16",
]


class Mischief(Asker):
    """Made from the same source of chance as the questions, with the boss as one of those who ask."""

    def __init__(self, rnd: random.Random, twin: Twin) -> None:
        super().__init__(rnd, twin, LOGINS)
        self.honest = False

    # -- values ----------------------------------------------------------------------------------------------------

    def text(self) -> str:
        rnd = self.rnd
        if rnd.random() < 0.3:
            return rnd.choice([self.literal().strip("'"), self.one(), self.field()])
        return rnd.choice(TEXTS)

    def json(self, depth: int = 2) -> str:
        """The text of a JSON value, which need not be one."""
        rnd, chance = self.rnd, self.rnd.random()
        if chance < 0.35:
            return json.dumps(self.text())
        if chance < 0.55:
            return rnd.choice(NUMBERS)
        if chance < 0.7:
            return rnd.choice(
                [
                    "null",
                    "true",
                    "false",
                    "[]",
                    "{}",
                    '""',
                    "[[]]",
                    '{"":null}',
                    '{"a":1,"a":2}',
                    "[" * 40 + "]" * 40,
                    "nul",
                    '"\\ud800"',
                    '"\\u0000"',
                    "'x'",
                    "",
                ]
            )
        if not depth:
            return '"x"'
        if chance < 0.85:
            return "[" + ",".join(self.json(depth - 1) for _ in range(rnd.randrange(4))) + "]"
        return self.object(depth - 1)

    def object(self, depth: int = 2) -> str:
        rnd = self.rnd
        keys = [
            *FIELDS[self.entity],
            *COMMON,
            "action",
            "values",
            "id",
            "version",
            "to",
            "lose",
            "batch",
            "commands",
            "lines",
        ]
        return (
            "{"
            + ",".join(
                f"{json.dumps(rnd.choice(keys) if rnd.random() < 0.9 else self.text())}:{self.json(depth)}"
                for _ in range(rnd.randrange(1, 4))
            )
            + "}"
        )

    def good(self) -> str:
        """The JSON text of a value that might fit."""
        rnd = self.rnd
        return rnd.choice([self.json(1), json.dumps(self.one()), json.dumps(self.text()), str(rnd.randrange(9))])

    def values_text(self) -> str:
        """The JSON text of an object of field values."""
        if self.rnd.random() < 0.8:
            return self.object(1)
        return "{" + ",".join(f'"{name}":{self.good()}' for name in self.rnd.sample(FIELDS[self.entity], 3)) + "}"

    def body_of(self, path: str) -> str:
        """The JSON of a request that has the right keys and wrong values."""
        rnd = self.rnd
        keys: dict[str, list[str]] = {
            "transitions": ["to", "transition", "reason", "values"], "checklist": ["item", "done"], "merge": ["lose", "choices"], "duplicates": ["other"],
            "convert": ["conversion", "values"], "undo": ["batch"], "handover": ["leaver", "successor", "entities"], "session": ["login", "password"],
            "me": ["language"], "tokens": ["name", "seconds"], "restore": [],
        }  # fmt: skip
        last = path.rsplit("/", 1)[-1]
        if last == "bulk":
            commands = ",".join(
                f'{{"action":"{rnd.choice(["create", "update", "delete", "restore", "transition", "x"])}","id":{self.good()},"version":{self.good()},"values":{self.values_text()}}}'
                if rnd.random() < 0.5 else f'{{"action":"create","values":{self.values_text()}}}'
                for _ in range(rnd.randrange(4))
            )  # fmt: skip
            return f'{{"commands":[{commands}],"atomic":{rnd.choice(["true", "false", "1"])}}}'
        if last in keys:
            return "{" + ",".join(f'"{key}":{self.good()}' for key in keys[last] if rnd.random() < 0.8) + "}"
        return self.values_text()

    # -- requests --------------------------------------------------------------------------------------------------

    def segment(self) -> str:
        return quote(
            self.rnd.choice([self.field(), self.text().replace("\ud800", "").replace("\udfff", "")[:300]]).encode(),
            safe="",
        )

    def query(self) -> str:
        rnd = self.rnd
        names = ["filter", "sort", "fields", "expand", "limit", "cursor", "search", "view", "deleted", "count", "group", "measure.a", "text", "headers", "before", "action", "field",
                 "where", "q", "columns", "after", "language", "tab", "id", "on", "value", *(f"f.{name}" for name in FIELDS[self.entity]), *FIELDS[self.entity], *PATHS[self.entity]]  # fmt: skip
        parts = []
        for _ in range(rnd.choice([0, 1, 1, 1, 2, 3])):
            name = rnd.choice(names) if rnd.random() < 0.95 else self.text()
            value = rnd.choice([self.text, self.text, self.condition, self.literal, self.field, self.measured])()
            parts.append("=".join(quote_plus(each.encode("utf-8", "replace")) for each in (name, value)))
        return ("?" + "&".join(parts)) if parts else ""

    def path(self) -> str:
        rnd, e, one, seg = self.rnd, self.entity, self.one(), self.segment
        if rnd.random() < 0.1:
            e = self.segment()
        if rnd.random() < 0.1:
            one = self.segment()
        api, page = f"/api/v1/twins/{e}", f"/twins/{e}"
        below = [
            "restore",
            "transitions",
            "checklist",
            "history",
            "stages",
            "explain",
            f"files/{seg()}",
            f"files/papers/{seg()}",
            "merge",
            "convert",
            "duplicates",
        ]
        beside = [
            "aggregate",
            f"choices/{seg()}",
            "choices/customer",
            "bulk",
            "import",
            "export.csv",
            "export.xlsx",
            "duplicates",
        ]
        pages = [page, f"{page}/new", f"{page}/choices", f"{page}/autofill", f"{page}/notices", f"{page}/{one}", f"{page}/{one}/edit", f"{page}/{one}/move/{rnd.choice(['new_to_packed', seg()])}",
                 f"{page}/{one}/tick", f"{page}/{one}/files/papers", f"{page}/{one}/files/{seg()}", f"{page}/{one}/delete", f"{page}/{one}/restore", f"{page}/{one}/convert/{seg()}",
                 f"{page}/{one}/merge/{self.one()}", f"{page}/{one}/distinct/{self.one()}", "/twins/", "/twins/my-page", "/", "/sign-in", "/settings"]  # fmt: skip
        others = ["/api/v1/session", "/api/v1/me", "/api/v1/tokens", f"/api/v1/tokens/{seg()}", "/api/v1/twins/openapi.json", "/api/v1/twins/undo", "/api/v1/twins/handover", f"/api/v1/twins/files/{seg()}",
                  "/api/v1/twins/user", "/api/v1/twins/team", f"/{seg()}", f"/api/v1/{seg()}", f"/static/{seg()}", "/healthz", "/readyz"]  # fmt: skip
        kind = rnd.random()
        if kind < 0.45:
            return rnd.choice([api, f"{api}/{one}", f"{api}/{one}", *(f"{api}/{one}/{each}" for each in below)])
        if kind < 0.65:
            return f"{api}/{rnd.choice(beside)}"
        return rnd.choice(pages) if kind < 0.9 else rnd.choice(others)

    def mischief(self) -> Request:
        rnd, path = self.rnd, self.path()
        if path.endswith("/import") or ("/files/" in path and rnd.random() < 0.5):
            return self.sent(path)
        if not path.startswith("/api/") and rnd.random() < 0.5:
            return self.form(path)
        method = rnd.choice(METHODS) if rnd.random() < 0.2 else self.method(path)
        headers: dict[str, str] = {}
        body = None
        if method in ("POST", "PATCH", "PUT"):
            headers["content-type"] = rnd.choice(KINDS)
            text = self.body_of(path) if rnd.random() < 0.85 else self.json()
            body = text.encode("utf-8", "surrogatepass")
            if rnd.random() < 0.03:
                body = body[: len(body) // 2] + bytes([rnd.randrange(256)]) + body[len(body) // 2 :]
        if rnd.random() < 0.6:
            headers["if-match"] = rnd.choice(
                [f'"{rnd.randrange(1, 6)}"'] * 8 + ['W/"1"', "*", '"x"', "1", '"' + "9" * 40 + '"', '"²"']
            )
        if rnd.random() < 0.05:
            headers["if-none-match"] = rnd.choice(['"1"', "*", "é"])
        if rnd.random() < 0.1:
            headers["idempotency-key"] = rnd.choice(["a", "b", "c" * 300, "é", ""])
        if rnd.random() < 0.1:
            headers["accept-language"] = rnd.choice(["zh", "en", "de", "*", "zh;q=x", "en;q=nan", "x" * 500])
        return Request(self.login, method, path + self.query(), headers, body)

    def method(self, path: str) -> str:
        """One that the address most likely answers."""
        last = path.rsplit("/", 1)[-1]
        if not path.startswith("/api/"):
            return "GET"
        if last in ("restore", "checklist", "merge", "convert", "bulk", "undo", "handover", "import"):
            return "POST"
        if last in ("transitions", "duplicates", "session", "tokens", *FIELDS):
            return self.rnd.choice(["GET", "POST"])
        return self.rnd.choice(["GET", "PATCH", "PATCH", "DELETE"]) if last.isdecimal() or last == "me" else "GET"

    def sent(self, path: str) -> Request:
        """Files: uploads and imports."""
        rnd = self.rnd
        name = rnd.choice(
            [
                "a.csv",
                "a.xlsx",
                "a.pdf",
                "a.png",
                "a.svg",
                "a.html",
                "x" * 400 + ".pdf",
                "../a.pdf",
                "客.pdf",
                "a\u202efdp.exe",
                "",
                "a.CSV",
                "con",
                ".pdf",
            ]
        )
        content = rnd.choice([*CSVS, PDF, PNG, b"<svg onload=alert(1)>", b"%PDF-", b"MZ" + bytes(100)])
        parts = [
            f'Content-Disposition: form-data; name="{rnd.choice(["file"] * 9 + ["x"])}"; filename="{name}"\r\n\r\n'.encode()
            + content
        ]
        for key, choices in (
            ("mapping", YAMLS),
            ("dry_run", ["true", "false", "x"]),
            ("encoding", ["utf-8", "gbk", "x", ""]),
            ("delimiter", [",", ";", "\t", "ab", ""]),
            ("sheet", ["x", ""]),
        ):
            if rnd.random() < 0.3:
                parts.append(f'Content-Disposition: form-data; name="{key}"\r\n\r\n{rnd.choice(choices)}'.encode())
        body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + rnd.choice([b"--b--\r\n"] * 9 + [b""])
        return Request(self.login, "POST", path, {"content-type": "multipart/form-data; boundary=b"}, body)

    def form(self, path: str) -> Request:
        """A form of a page, with the marks that ours carry."""
        rnd = self.rnd
        names: list[Callable[[], str]] = [
            self.field, lambda: f"{self.field()}~{rnd.choice(['text', 'pick', 'was', 'kept', 'rows', 'new', 'x'])}", lambda: f"lines.{rnd.choice(['0', '1', '²', '9' * 30, '-1', ''])}.{rnd.choice(['product', 'price', 'id', '~gone', 'cost'])}",
            lambda: rnd.choice(["lines~rows", "after", "choice", "reason", "language", "theme", "login", "password", "item", "done"]),
        ]  # fmt: skip
        pairs = [(rnd.choice(names)(), self.text()) for _ in range(rnd.randrange(1, 7))]
        pairs.append(("~version", rnd.choice([str(rnd.randrange(1, 6))] * 6 + ["", "x", "²", "9" * 50])))
        if rnd.random() < 0.5:
            pairs.append((rnd.choice(["~base", "~merge"]), self.object() if rnd.random() < 0.8 else self.text()))
        body = "&".join(
            "=".join(quote_plus(each.encode("utf-8", "replace")) for each in pair) for pair in pairs
        ).encode()
        return Request(
            self.login,
            "POST",
            path,
            {"content-type": "application/x-www-form-urlencoded"},
            body + b"&csrf=" + (CSRF if rnd.random() < 0.97 else b"x"),
        )
