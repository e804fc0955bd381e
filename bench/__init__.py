"""What is measured, and against what: `python3 dev.py bench`."""
