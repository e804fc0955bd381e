"""The shop of the attacks, for what the API does when nobody attacks it."""

from tests.attacks.conftest import shop

__all__ = ["shop"]
