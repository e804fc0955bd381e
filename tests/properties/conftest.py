"""The databases of the language's tests serve its properties as well."""

from tests.expressions.conftest import databases

__all__ = ["databases"]
