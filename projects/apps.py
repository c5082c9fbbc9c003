from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "Projects"

    def ready(self) -> None:
        from . import (  # noqa: F401
            catalogue_handlers,
            channels,
            enrich_handlers,
            entities,
            export_handlers,
            handlers,
            ifc_handlers,
            webhooks,
        )
