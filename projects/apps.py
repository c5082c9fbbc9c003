from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "Projects"

    def ready(self) -> None:
        from . import catalogue_handlers, channels, enrich_handlers, entities, handlers, ifc_handlers, webhooks  # noqa: F401
