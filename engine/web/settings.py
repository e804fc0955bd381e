"""What the server is told from outside: environment variables, overridden by the command line.

Every setting is a variable `DOUGONG_<NAME>`; `dougong serve --help` lists those that have an option.  Nothing here comes
from a definition: a definition says what the application is, the settings say where it runs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from engine.problems import Language

PREFIX = "DOUGONG_"


@dataclass(frozen=True)
class Settings:
    """Sizes are bytes, rates are requests a second, durations are seconds."""

    data: Path = Path("data")  # the SQLite database and the stored files live below it
    database: str = ""  # sqlite:///… or postgresql://…; empty: data/dougong.db
    address: str = ""  # the public origin, https://crm.example.com; empty: whatever the Host header says
    language: str = "zh"  # for readers who state no preference
    rate: int = 200  # API requests of one user that are carried for ever
    burst: int = 2_000  # and how many at once
    body_limit: int = 2 << 20  # how large the body of a request may be
    upload_limit: int = 200 << 20  # how large an uploaded file may be
    drain: int = 30  # how long a stopping server lets requests finish
    metrics_token: str = ""  # who may read /metrics from elsewhere than this machine
    log: str = "info"  # debug, info, warning, error

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data.absolute() / 'dougong.db'}"

    @property
    def default_language(self) -> Language:
        return "en" if self.language == "en" else "zh"

    @property
    def files(self) -> Path:
        return self.data / "files"

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **given: Any) -> "Settings":
        """From the environment; what is given and not None wins. Raises ValueError naming a variable that makes no sense."""
        environment = os.environ if environment is None else environment
        types = get_type_hints(cls)
        values: dict[str, Any] = {}
        for field in fields(cls):
            variable = PREFIX + field.name.upper()
            text = environment.get(variable, "")
            if given.get(field.name) is not None:
                values[field.name] = given[field.name]
            elif text:
                try:
                    values[field.name] = types[field.name](text)
                except ValueError as error:
                    raise ValueError(f"{variable}={text!r}: expected {types[field.name].__name__}") from error
        return cls(**values)

    def as_environment(self) -> dict[str, str]:
        """The variables from which `read` makes these settings again, for worker processes."""
        return {PREFIX + field.name.upper(): str(getattr(self, field.name)) for field in fields(self)}
