"""Rules about records: validations, scores, duplicates, groups, conversions, notices."""
