"""Settings come from the environment; the command line goes before it."""

from pathlib import Path

import pytest

from engine.web.observe import begin_logging
from engine.web.settings import Settings


def test_what_is_given_goes_before_the_environment() -> None:
    environment = {"DOUGONG_DATA": "/srv/data", "DOUGONG_RATE": "5", "DOUGONG_DATABASE": ""}
    chosen = Settings.read(environment, rate=7, database=None)
    assert (chosen.data, chosen.rate, chosen.burst) == (Path("/srv/data"), 7, 2000)
    assert chosen.database_url == f"sqlite:///{Path('/srv/data').absolute() / 'dougong.db'}"


def test_a_variable_that_makes_no_sense_is_named() -> None:
    with pytest.raises(ValueError, match="DOUGONG_RATE='many'"):
        Settings.read({"DOUGONG_RATE": "many"})
    with pytest.raises(ValueError, match="DOUGONG_LOG"):
        begin_logging("loud")


def test_worker_processes_get_the_same_settings() -> None:
    chosen = Settings(data=Path("x"), database="postgresql://a@b/c", rate=1, address="https://example.com")
    assert Settings.read(chosen.as_environment()) == chosen
