"""Practising, free of Django: what is shown of a question, what an answer is worth, when to ask again."""
