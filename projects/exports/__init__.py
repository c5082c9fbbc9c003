"""What goes out of a budget: writers of bills, prices into a client's own workbook, proof by reading back.

Knows nothing of Django.
"""
