"""The project's chat: questions are computed, quoted, worded from sources, or not answered; changes are proposed."""
