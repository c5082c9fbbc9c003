"""What goes wrong with embedded services, told so that the reader knows what to do."""


class ServicesError(RuntimeError):
    """A service cannot be had. The message is for people: what happened and what to do next."""
