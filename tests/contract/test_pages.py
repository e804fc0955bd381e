"""Every page of every package opens for every role that has it, and for no other."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engine.clock import SystemClock
from engine.publishing.apply import publish
from engine.web.server import create_server
from engine.web.settings import Settings
from tests.contract.conftest import ROOTS, checked, compiled

with warnings.catch_warnings():
    # It would rather have another HTTP client, which knows nothing that these tests need.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture(params=[root.stem for root in ROOTS])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, TestClient, dict[str, str]]]:
    """A package served, and an API token for each of its roles."""
    name: str = request.param
    server = create_server(Settings(data=tmp_path, log="error"))
    site = server.state.site
    publish(site.db, checked(name), SystemClock())
    site.live.refresh()
    tokens = {}
    for role in compiled(name).definition.roles:
        person = site.people.create_user(role, role)
        site.people.set_roles(person, name, [role])
        tokens[role] = site.people.open_session(person).token
    yield name, TestClient(server, base_url="http://contract.test"), tokens
    site.close()


def test_lists_and_new_records_open_for_whoever_may(served: tuple[str, TestClient, dict[str, str]]) -> None:
    name, http, tokens = served
    app = compiled(name)
    wrong: list[tuple[str, str, int]] = []

    def ask(role: str, path: str, may: bool) -> None:
        http.cookies.clear()
        answer: httpx.Response = http.get(path, headers={"cookie": f"dougong={tokens[role]}"}, follow_redirects=False)
        if (answer.status_code == 200) is not may or answer.status_code >= 500:
            wrong.append((role, path, answer.status_code))

    for role in tokens:
        roles, everything = app.policies.closure([role]), app.policies.administrator([role])
        ask(role, f"/{name}/", True)
        for model in app.entities.values():
            if model.system or model.part_of is not None:
                continue
            permit = app.policies.permit(roles, model.name, everything)
            ask(role, f"/{name}/{model.name}", permit.may("read"))
            ask(role, f"/{name}/{model.name}/new", permit.may("create") or everything)
    assert wrong == []
