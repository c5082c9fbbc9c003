"""Building models (IFC): elements, their quantities, and the budget positions they make. Free of Django."""
