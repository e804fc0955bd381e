"""The fair of the public forms, on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.web.settings import Settings
from tests.forms.fair import Fair


@pytest.fixture
def fair(database_url: str, tmp_path: Path) -> Iterator[Fair]:
    fair = Fair(Settings(data=tmp_path / "data", database=database_url))
    with fair.http:
        yield fair
