"""P11, P12, P16, P17: whoever writes definitions, mappings and formulas breaks neither the server nor the folder it stands in.

Through the command line, which checks and publishes, and through the only text of this kind that HTTP takes: the mapping
of an import. What is refused leaves the version before it live.
"""

import json
import os
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.conftest import Shop, _postgresql, _sqlite
from tests.definition.test_source_text import HOSTILE
from tests.effort import at_most
from tests.test_cli import dougong

HEAD = "app: shop\nversion: 1.0.0\nlabel: {zh: 名, en: Names}\nallow: {label-missing: short}\nroles: {admin: {administrator: true}}\n"
SOUND = HEAD + "entities: {thing: {title: name, fields: {name: {type: text, required: true}}}}\n"
TAKEN = [
    "order",
    "select",
    "table",
    "group",
    "case",
    "end",
    "rowid",
    "oid",
    "ctid",
    "xmin",
    "tableoid",
    "self",
    "constructor",
    "new",
    "file",
    "sqlite_master",
    "dg_user",
    "x" * 40,
]
REFUSED = [
    'a"b',
    "a'b",
    "客户",
    "x" * 300,
    "ﬁle",
    "ｏrder",
    "_x",
    "__class__",
    "__proto__",
    "a;b",
    "a b",
    "a-b",
    "a.b",
    "A",
    "1a",
    "",
    "a\u200b",
    "id",
    "version",
    "search",
    "import",
]
LABELS = ['a"b', "客户", "<script>alert(1)</script>", "{{7*7}}", "'; DROP TABLE dg_user; --", "=1+1", "x" * 300, "ﬁ"]


@pytest.fixture
def where(shop: Shop) -> tuple[str, ...]:
    """The options that make the command line work on the shop's database."""
    return ("--database", shop.settings.database_url, "--data", str(shop.settings.data))


def named(names: list[str], label: str = "x") -> str:
    """An app whose entities and fields have these names."""
    said = json.dumps({"zh": label, "en": label}, ensure_ascii=False)
    fields = ", ".join(f"{json.dumps(each, ensure_ascii=False)}: {{type: text, label: {said}}}" for each in names)
    entities = "".join(
        f"  {json.dumps(name, ensure_ascii=False)}: {{title: name, label: {said}, fields: {{name: {{type: text, required: true}}, {fields}}}}}\n"
        for name in names
    )
    return f"{HEAD}entities:\n{entities}"


def tables(shop: Shop) -> dict[str, list[str]]:
    url = shop.settings.database_url
    return _sqlite(url) if url.startswith("sqlite") else _postgresql(url)


# P11: names


def test_p11_words_of_sql_are_names_like_others(shop: Shop, where: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(named(TAKEN).replace("app: shop", "app: names"), encoding="utf-8")
    done = dougong("publish", str(tmp_path / "x.yaml"), *where, "--yes")
    assert done.returncode == 0, done.stderr
    shop.site.live.refresh()
    shop.site.people.set_roles(shop.max.id, "names", ["admin"])
    assert all(re.fullmatch(r"[a-z][a-z0-9_$]{0,62}", table) for table in tables(shop))
    for name in TAKEN:
        path = f"/api/v1/names/{name}"
        made = shop.max.post(path, {"name": "A"} | dict.fromkeys(TAKEN, "v"))
        assert made.status_code == 201, (name, made.text)
        assert made.json()["record"] == made.json()["record"] | dict.fromkeys(TAKEN, "v")
        for field in TAKEN:
            found = shop.max.get(path, filter=f"{field} == 'v'", sort=field, fields=field)
            assert [each[field] for each in found.json()["records"]] == ["v"], (name, field, found.text)
        assert shop.max.get(f"{path}/aggregate", group=name).json()["groups"] == [{name: "v", "count": 1}]


def test_p11_other_names_are_refused_where_they_stand(shop: Shop, where: tuple[str, ...], tmp_path: Path) -> None:
    package = tmp_path / "x.yaml"
    with shop.unchanged():
        for name in REFUSED:
            package.write_text(named([name]), encoding="utf-8")
            said = dougong("publish", str(package), *where, "--yes")
            assert said.returncode == 1, name
            assert re.search(r"x\.yaml:\d+:\d+", said.stderr), name
            assert "Traceback" not in said.stderr
    assert shop.ann.get("/order").status_code == 200


def test_p11_labels_are_kept_and_shown_as_text(shop: Shop, where: tuple[str, ...], tmp_path: Path) -> None:
    session = shop.site.people.open_session(shop.max.id)
    for number, label in enumerate(LABELS):
        app = f"names_{number}"
        (tmp_path / "x.yaml").write_text(named(["size"], label).replace("app: shop", f"app: {app}"), encoding="utf-8")
        done = dougong("publish", str(tmp_path / "x.yaml"), *where, "--yes")
        assert done.returncode == 0, done.stderr
        shop.site.live.refresh()
        shop.site.people.set_roles(shop.max.id, app, ["admin"])
        document = shop.max.get(f"/api/v1/{app}/openapi.json").text
        assert json.dumps(label, ensure_ascii=False)[1:-1] in document or label in json.dumps(
            json.loads(document), ensure_ascii=False
        )
        page = shop.ask("GET", f"/{app}/size", bare=True, headers={"cookie": f"dougong={session.token}"})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert ">49<" not in page.text
        text = shop.max.get(f"/api/v1/{app}/size/export.csv").text
        assert not re.search(r'(^|,)"?=', text.lstrip("\ufeff")), text


# P16: files


INCLUDES = ["../secret.yaml", "/etc/passwd", "link.yaml", "linked/secret.yaml", "a/../../secret.yaml", "..\\secret.yaml", "file:///etc/passwd", "http://127.0.0.1/x.yaml", "X.yaml", "x.yaml",
            "%2e%2e/secret.yaml", "CON", "\x00", "~/x.yaml", "/proc/self/environ", "*"]  # fmt: skip


def test_p16_a_package_reads_nothing_outside_itself(shop: Shop, where: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("roles: {canary_role: {}}\n", encoding="utf-8")
    os.symlink(tmp_path / "secret.yaml", folder / "link.yaml")
    os.symlink(tmp_path, folder / "linked")
    package = folder / "x.yaml"
    with shop.unchanged():
        for include in INCLUDES:
            package.write_text(SOUND + f"include: {json.dumps(include)}\n", encoding="utf-8")
            for command in (("check",), ("plan", *where), ("publish", *where, "--yes")):
                said = dougong(command[0], str(package), *command[1:])
                assert said.returncode == 1, (include, command)
                for secret in ("Traceback", "canary", "root:"):
                    assert secret not in said.stdout + said.stderr, (include, command)
    assert shop.ann.get("/order").status_code == 200


# P17: YAML


def test_p17_hostile_yaml_is_refused_by_every_command(tmp_path: Path) -> None:
    package = tmp_path / "x.yaml"
    where = ("--database", f"sqlite:///{tmp_path / 'x.db'}", "--data", str(tmp_path))
    canary = tmp_path / "canary"
    with at_most(seconds=60):
        for text in [*HOSTILE.values(), f"!!python/object/apply:os.system ['touch {canary}']\n"]:
            package.write_bytes(text.encode("utf-8", "surrogatepass"))
            for command in (("check",), ("plan", *where), ("publish", *where, "--yes")):
                said = dougong(command[0], str(package), *command[1:])
                assert said.returncode == 1, (text[:60], command)
                assert "Traceback" not in said.stderr
    assert not canary.exists()
    assert not (tmp_path / "x.db").exists()


MAPPINGS = {
    **{name: text for name, text in HOSTILE.items() if len(text) < 100_000},
    "a tag of Python": "!!python/object/apply:os.system ['id']\n",
    "another file": "entity: order\nsteps: [{entity: order, file: ../../etc/passwd, columns: {title: title}}]\n",
    "deep JSON": '{"a":' * 5000 + "1" + "}" * 5000,
    "a key twice in JSON": '{"entity": "order", "entity": "customer"}',
    "no number in JSON": '{"entity": NaN}',
}


def test_p17_a_hostile_mapping_is_refused_over_http(shop: Shop) -> None:
    with shop.unchanged(), at_most(seconds=60):
        for name, text in MAPPINGS.items():
            response = shop.ann.ask(
                    "POST", "/order/import",
                    files={"file": ("a.csv", b"Title\nA\n", "text/csv"), "mapping": ("m.yaml", text.encode("utf-8", "surrogatepass"), "text/plain")},
                )  # fmt: skip
            assert response.status_code in (400, 413, 422), (name, response.status_code, response.text[:300])
            assert "root:" not in response.text


# P12: formulas

FORMULAS = [
    "'%1000000000d' % 1", "9 ** 9 ** 9", "power(power(9, 99), 99)", " * ".join(["9999999999"] * 500), "1" * 5000, "'a' * 999999999", "().__class__.__bases__", "__import__('os').system('id')",
    "name.__class__", "[x for x in lines]", "lambda: 1", "(" * 900 + "1" + ")" * 900, "not " * 1500 + "true", "-" * 3000 + "1", " + ".join(["name"] * 1500), "IF(" * 900, "f'{name}'", "open('/etc/passwd')",
    "concat(" + ", ".join(["name"] * 900) + ")", "round(1, 999999999)", "left(name, 9999999999999999999999)", "1e999", "name == '" + "x" * 5000 + "'",
]  # fmt: skip


@pytest.fixture
def memory() -> Iterator[None]:
    """No more than 16 MB are taken at any moment."""
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before < 16 << 20


def test_p12_a_formula_that_explodes_is_refused_where_it_is_asked(shop: Shop, memory: None) -> None:
    shop.ann.create("customer", name="Acme")
    with shop.unchanged():
        for text in FORMULAS:
            for path, asked in (
                ("/customer", {"filter": text}),
                ("/customer/aggregate", {"measure.m": f"sum({text})"}),
            ):
                response = shop.ann.get(path, **asked)
                assert response.status_code in (400, 414), (text[:60], response.text[:200])


def test_p12_a_formula_that_explodes_is_refused_where_it_is_defined(memory: None, tmp_path: Path) -> None:
    package = tmp_path / "x.yaml"
    fields = "".join(
        f", f{number}: {{type: text, formula: {json.dumps(text)}}}" for number, text in enumerate(FORMULAS)
    )
    package.write_text(
        f"{HEAD}entities: {{thing: {{title: name, fields: {{name: {{type: text, required: true}}{fields}}}}}}}\n",
        encoding="utf-8",
    )
    with at_most(seconds=60):
        done = dougong("check", str(package), "--format", "json")
    assert done.returncode == 1
    wrong = {problem["path"].split(".")[3] for problem in json.loads(done.stdout) if problem["severity"] == "error"}
    assert wrong == {f"f{number}" for number in range(len(FORMULAS))}
