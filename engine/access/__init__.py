"""Who may see and do what: people, teams, roles, policies, sessions, tokens."""
