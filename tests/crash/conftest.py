"""Crashes happen to the shop of the publishing tests."""

from tests.publishing.conftest import bench, edit

__all__ = ["bench", "edit"]
