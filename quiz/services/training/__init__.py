"""Training calls: what people do with them, how they come in, and what is worked out of them."""
