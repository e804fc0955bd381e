"""Every app package of the project, with each of its presets: what holds for one holds for all."""

from functools import cache
from pathlib import Path

import pytest

from engine.app import App, compile_app
from engine.definition import Checked, load

APPS = Path(__file__).parents[2] / "apps"
ROOTS = sorted(APPS.glob("*.yaml"))


@cache
def checked(package: str) -> Checked:
    """The package `name` or `name:preset`."""
    name, _, preset = package.partition(":")
    return load(APPS / f"{name}.yaml", preset=preset or None)


@cache
def compiled(package: str) -> App:
    return compile_app(checked(package))


def packages() -> list[str]:
    found = []
    for root in ROOTS:
        definition = load(root).definition
        found += [root.stem, *(f"{root.stem}:{preset}" for preset in (definition.presets if definition else ()))]
    return found


PACKAGES = packages()


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    """The name of a package, or of a package with a preset: the test runs for each."""
    name: str = request.param
    return name


@pytest.fixture
def app(package: str) -> App:
    return compiled(package)
