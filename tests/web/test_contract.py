"""Random requests made from the OpenAPI document: what the document promises is what the server answers, and never a 5xx.

Each operation gets a few dozen requests, good and bad ones.  `HYPOTHESIS_PROFILE=deep` makes many more.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.app import compile_app
from engine.definition import load
from engine.web.api import openapi
from engine.web.settings import Settings
from tests.attacks.conftest import APP, PDF, Shop

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = openapi.document(compile_app(load(APP)), "en")
schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with a few records, shared by all operations. Nobody is limited in how often he asks."""
    folder: Path = tmp_path_factory.mktemp("contract")
    shop = Shop(Settings(data=folder, database=f"sqlite:///{folder / 'shop.db'}", burst=0, log="error"))
    with shop.http:
        customer = shop.meg.create("customer", name="Acme", rating=7)
        order = shop.meg.create(
            "order",
            title="Desk",
            amount=12.5,
            margin=3,
            customer=customer["id"],
            lines=[{"product": "Top", "price": 1}],
        )
        shop.meg.upload(f"/order/{order['id']}/files/papers", "a.pdf", PDF)
        shop.ids = {"customer": customer["id"], "order": order["id"]}  # type: ignore[attr-defined]
        yield shop


def _settings() -> Any:
    chosen = hypothesis.settings()
    few = min(chosen.max_examples, 100) // 5
    return hypothesis.settings(
        max_examples=chosen.max_examples if chosen.max_examples > 1000 else few, deadline=None, derandomize=chosen.derandomize,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )  # fmt: skip


@schema.parametrize()
@_settings()
def test_the_server_keeps_what_the_document_promises(case: Any, filled: Shop) -> None:
    ids: dict[str, str] = filled.ids  # type: ignore[attr-defined]
    # Random ids name nothing; half of the requests are about records that exist.
    entity = case.path.removeprefix("/api/v1/shop/").split("/")[0]
    if "id" in (case.path_parameters or {}) and entity in ids and hash(str(case.body)) % 2:
        case.path_parameters["id"] = ids[entity]
    asked = case.as_transport_kwargs(
        base_url="http://shop.test", headers={"authorization": f"Bearer {filled.meg.token}"}
    )
    asked.pop("cookies", None)
    ready = requests.Request(**asked).prepare()
    assert ready.method is not None
    assert ready.url is not None
    raw = {name: value if isinstance(value, bytes) else value.encode("utf-8") for name, value in ready.headers.items()}
    headers = {name: value for name, value in raw.items() if name.lower() != "cookie"}
    response = filled.http.request(ready.method, ready.url, content=ready.body, headers=headers)
    filled.http.cookies.clear()
    case.validate_response(response, checks=CHECKS)
