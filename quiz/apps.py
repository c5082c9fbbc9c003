from django.apps import AppConfig


class QuizConfig(AppConfig):
    name = "quiz"
    verbose_name = "Quizzes"

    def ready(self) -> None:
        from . import (  # noqa: F401
            assignment_handlers,
            entities,
            handlers,
            practice_handlers,
            training_channels,
            training_handlers,
            training_webhooks,
        )
