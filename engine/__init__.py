"""Dougong's engine: it reads an app definition and runs it. It knows no app."""
