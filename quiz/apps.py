from django.apps import AppConfig


class QuizConfig(AppConfig):
    name = "quiz"
    verbose_name = "Quizzes"

    def ready(self) -> None:
        from . import assignment_handlers, entities, handlers, practice_handlers  # noqa: F401
