"""The engine of search, free of Django: words, codes, embeddings, fusion, passages."""
