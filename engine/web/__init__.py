"""The app over HTTP: REST API, pages, static files."""
