"""Which item of a list a position's text means: by words, without a database. Free of Django."""
