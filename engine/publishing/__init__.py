"""From one version of an app to the next: plan, hazards, apply, roll back. No edit loses data."""
