"""The older file store and the tables: bringing folders in, comparing, writing folders back."""
