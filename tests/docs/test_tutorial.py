"""The tutorial, gone through to its end: the app is published, filled, changed while it runs, and taken back."""

from pathlib import Path

import pytest

from tests.docs.commands import DOCS, lines
from tests.docs.test_examples import added, told
from tests.docs.test_how_to import Installation

PAGE = "tutorial/first-app.md"


def written(folder: Path) -> None:
    """The files of the tutorial as they are at its end."""
    files: dict[str, str] = {}
    for file, at, text in told(PAGE):
        files[file] = added(files[file], at, text) if at else text
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")


def test_the_first_app_lives_as_the_tutorial_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    tools = Installation(tmp_path)
    tools.variables["DOUGONG_DATA"] = str(tmp_path / "more-tools")
    commands = {words[1]: words[1:] for words in lines(DOCS / PAGE) if words[0] == "dougong"}

    assert "0 errors, 0 warnings" in tools.give(*commands["check"])
    tools.give(*commands["graph"])
    assert (tmp_path / "lending.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "Published version 1" in tools.give("publish", "tools.yaml", "--yes")
    assert "demo records" in tools.give("demo", "tools")

    def loans() -> list[dict[str, object]]:
        with tools.serve() as client:
            token = tools.give("token", "wu").strip()
            answer = client.get("/api/v1/tools/loan?limit=200", headers={"authorization": f"Bearer {token}"})
            tool = client.get("/api/v1/tools/tool?limit=200", headers={"authorization": f"Bearer {token}"})
        assert not any("price" in each for each in tool.json()["records"])
        means = [each["average"] for each in tool.json()["records"] if each["average"] is not None]
        assert means
        assert all(0 <= mean <= 100 for mean in means)
        records: list[dict[str, object]] = answer.json()["records"]
        return records

    before = loans()
    assert before
    loan, health = tmp_path / "tools" / "loan.yaml", tmp_path / "tools" / "health.yaml"
    text = loan.read_text(encoding="utf-8").replace("damage: {type: longtext", "defects: {type: longtext, was: damage")
    loan.write_text(text, encoding="utf-8")
    health.write_text(health.read_text(encoding="utf-8").replace("damage", "defects"), encoding="utf-8")
    assert 'Rename Field "damage"' in tools.give(*commands["plan"])
    assert "Published version 2" in tools.give(*commands["publish"], "--yes")
    after = loans()
    assert [each["defects"] for each in after] == [each["damage"] for each in before]
    assert "Published version 3" in tools.give(*commands["rollback"], "--yes")
    assert [each["damage"] for each in loans()] == [each["damage"] for each in before]
