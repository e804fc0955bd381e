"""Forms: how fields are laid out, when they show, and the JSON Schema that a browser and the server share."""
