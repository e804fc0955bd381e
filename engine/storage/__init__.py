"""Where records live: the database, the tables, the files."""
