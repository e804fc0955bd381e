"""The how-to pages, followed: their commands are given, their requests sent, their texts put where they say."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from engine.access.principal import engine_principal
from engine.cli import app as command_line
from engine.definition import load
from engine.publishing.plan import plan_for
from engine.runtime import Create
from engine.storage.database import Database
from engine.web.server import create_server
from engine.web.settings import Settings
from tests.attacks.conftest import TestClient
from tests.docs.commands import DOCS, ROOT, blocks, lines
from tests.docs.test_examples import added

HOW_TO = DOCS / "how-to"


class Installation:
    """The CRM, published by the command line into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {"DOUGONG_DATA": str(folder / "data"), "DOUGONG_DATABASE": "", "DOUGONG_LANGUAGE": "en"}

    def give(self, *words: str) -> str:
        """Give a command; what it prints, refusals included."""
        result = CliRunner().invoke(command_line, list(words), env=self.variables)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.output

    def serve(self) -> TestClient:
        return TestClient(create_server(Settings.read(self.variables)), base_url="http://127.0.0.1:8000")


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("crm"))
    assert "Published version 1" in installation.give("publish", str(ROOT / "apps" / "crm.yaml"), "--yes")
    return installation


def test_the_import_page_imports_what_it_shows(crm: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    page = HOW_TO / "import.md"
    monkeypatch.chdir(crm.folder)
    Path("leads.csv").write_text(blocks(page, "csv")[0], encoding="utf-8")
    Path("leads.yaml").write_text(blocks(page, "yaml")[0], encoding="utf-8")
    rehearsed, done = (words[1:] for words in lines(page) if "--mapping" in words)
    promised = blocks(page, "text")[0]
    assert crm.give(*rehearsed) == promised
    assert crm.give(*done) == promised
    left = Path("left.csv").read_text(encoding="utf-8-sig")
    assert "无名" in left
    assert "城西生鲜" in left
    assert "滨江便利" not in left
    assert "0 created, 0 updated, 2 unchanged, 2 refused" in crm.give(*done)


def test_what_is_exported_can_be_imported_without_a_mapping(crm: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(crm.folder)
    take, bring = ([word for word in words[1:] if word] for words in lines(HOW_TO / "import.md")[:2])
    crm.give(*take)
    assert "0 created" in crm.give(*bring)


def sent(client: TestClient, words: list[str], variables: dict[str, str], without: str = "") -> Any:
    """The answer to a curl command, as far as our pages use curl; one header may be left out."""

    def filled(text: str) -> str:
        return re.sub(r"\$(\w+)", lambda found: variables[found[1]], text)

    method, url, headers, body, pairs, as_query = "GET", "", {}, None, [], False
    rest = iter(words[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = filled(next(rest)).partition(": ")
            if name != without:
                headers[name] = value
        elif word == "-d":
            body = filled(next(rest)).encode()
        elif word == "--data-urlencode":
            name, _, value = next(rest).partition("=")
            pairs.append(f"{name}={quote(value, safe='')}")
        elif word == "-G":
            as_query = True
        elif word != "-i":
            assert not word.startswith("-"), word
            url = filled(word)
    assert as_query == bool(pairs)
    return client.request(method, url + ("?" + "&".join(pairs) if pairs else ""), headers=headers, content=body)


def test_the_api_page_is_answered_as_it_says(crm: Installation) -> None:
    given = lines(HOW_TO / "api.md")
    requests = [words for words in given if words[0] == "curl"]
    crm.give(*next(words for words in given if "create" in words)[1:])
    (call,) = re.findall(r"TOKEN=\$\(dougong (.*?)\)", (HOW_TO / "api.md").read_text(encoding="utf-8"))
    token = crm.give(*shlex.split(call)).strip()
    with crm.serve() as client:
        site = client.app.state.site  # type: ignore[attr-defined]
        owner = {"owner": str(site.people.find_user("erp"))}

        def made(entity: str, stage: str | None = None, **values: Any) -> str:
            return str(
                site.runtime.execute(
                    site.app("crm"), engine_principal(), Create(entity, values | owner, stage=stage)
                ).id
            )

        shop = made("account", name="Corner shop", kind="dealer")
        id = made("opportunity", "demo", name="Shelf", account=shop, amount=200_000)
        variables = {"TOKEN": token, "SERVER": "http://127.0.0.1:8000", "ID": id}
        listed, filtered, summed, kept, created, changed, ways, moved, said, told = requests

        answer = sent(client, listed, variables)
        assert answer.status_code == 200
        assert set(answer.json()) == {"records", "next"}
        assert sent(client, filtered, variables).status_code == 200
        sums = sent(client, summed, variables).json()["groups"]
        assert [(each["total"], each["deals"]) for each in sums] == [(200_000, 1)]
        assert [each["stage"] for each in sent(client, kept, variables).json()["groups"]] == ["demo"]

        first, again = sent(client, created, variables), sent(client, created, variables)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.headers["idempotency-replayed"] == "true"
        assert first.json()["id"] == again.json()["id"]
        assert first.headers["etag"].startswith('"1')

        lead = variables | {"ID": first.json()["id"]}
        assert sent(client, changed, lead).status_code == 200
        stale = sent(client, changed, lead)
        assert stale.status_code == 409
        assert stale.json()["current"]["version"] == 2
        assert sent(client, changed, lead, without="If-Match").status_code == 428

        assert [each["name"] for each in sent(client, ways, variables).json()["transitions"]]
        refused = sent(client, moved, variables)
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        assert {each["pointer"] for each in refused.json()["errors"]} >= {
            "/site_photo",
            "/minutes",
            "/deck",
            "/contacts",
        }

        comment = sent(client, said, variables)
        assert comment.status_code == 201
        (found,) = sent(client, told, variables).json()["comments"]
        assert (found["id"], found["text"]) == (comment.json()["details"]["comment"], "@[linhui] please have a look")


def test_the_page_on_changing_an_app_changes_it(crm: Installation) -> None:
    page = HOW_TO / "change-a-running-app.md"
    field, rename = blocks(page, "yaml")
    checked = load(ROOT / "apps" / "crm.yaml")
    files = dict(checked.files)
    at, text = field.split("\n", 1)
    path, place = re.fullmatch(r"# apps/(\S+) (\S+)", at).groups()  # type: ignore[union-attr]
    files[path] = added(files[path], place, text)
    assert "website: {type: url" in files[path]
    files[path] = re.sub(r"( +)website: \{.*\n", lambda found: found[1] + rename, files[path], count=1)
    assert [problem.code for problem in load(files, "crm.yaml").problems] == ["unknown-field"]
    files[path] = re.sub(r"(\[[^]\n]*)\bwebsite\b", r"\1web_address", files[path])
    changed = load(files, "crm.yaml")
    assert [problem.code for problem in changed.problems] == []
    db = Database.open(Settings.read(crm.variables).database_url)
    try:
        told = {(change.code, change.path) for change in plan_for(db, changed, 0).changes}
    finally:
        db.close()
    assert ("change-renamed", "entities.account.fields.web_address") in told
    assert ("change-add-column", "entities.account.fields.loading_ramp") in told
    assert not [path for code, path in told if code == "change-removed"]


def test_the_page_on_extending_defines_a_field_type_and_a_function() -> None:
    kind, function = blocks(HOW_TO / "extend.md", "python")
    trial = """
import json
from engine.definition import load
from engine.expressions import check
from engine.expressions.types import Context
colour = field_types["colour"].model_validate({"type": "colour"})
snippet = "app: demo\\nversion: 1.0.0\\nlabel: Demo\\nallow: {label-missing: short}\\nentities: {car: {fields: {name: text, paint: colour}}}"
expression, faults = check("share(1, 4)", None, None)
print(json.dumps({
    "stored": colour.parse("#FFCC00"), "problems": [p.code for p in load({"x.yaml": snippet}).problems],
    "share": [expression.evaluate({}, None), expression.type.scale],
}))
"""
    head = "from engine.expressions import make\nfrom engine.expressions.functions import function\nfrom engine.expressions.tree import Node\n"
    # In a process of its own: what is registered stays registered.
    done = subprocess.run(
        [sys.executable, "-c", kind + head + function + trial], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["stored"] == "#ffcc00"
    assert said["problems"] == []
    value, scale = said["share"]
    assert value * 4 == 10**scale


def test_the_page_of_public_forms_shows_a_form_that_can_be_answered(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "apps", tmp_path / "apps")
    lead = tmp_path / "apps" / "crm" / "lead.yaml"
    example = blocks(HOW_TO / "public-forms.md", "yaml")[0]
    lead.write_text(lead.read_text(encoding="utf-8").replace("forms:\n", example, 1), encoding="utf-8")
    checked = load(tmp_path / "apps" / "crm.yaml")
    assert [problem.message("en") for problem in checked.problems] == []
    installation = Installation(tmp_path)
    installation.give("publish", str(tmp_path / "apps" / "crm.yaml"), "--yes")
    with installation.serve() as client:
        (frame,) = blocks(HOW_TO / "public-forms.md", "html")
        for href in re.findall(r'src="https://crm\.example\.com([^"]+)"', frame):
            assert client.get(href).status_code == 200
        page = client.get("/f/crm/fair_visit/stand?company_name=Acme")
        assert 'value="Acme"' in page.text
        assert "source" not in page.text
