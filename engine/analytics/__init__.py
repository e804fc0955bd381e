"""What people see at a glance: home pages made of cards, one home for each kind of job.

A card names its records by a view, an entity or a condition, as a list does, so that what it shows and what it opens are
one question.  This room says what cards are; `engine/web/pages/cards/` asks the lens and draws them.
"""
