from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "Projects"

    def ready(self) -> None:
        from . import (  # noqa: F401
            catalogue_handlers,
            certificate_handlers,
            channels,
            chat_handlers,
            enrich_handlers,
            entities,
            export_handlers,
            filestore_checks,
            filestore_handlers,
            handlers,
            ifc_handlers,
            webhooks,
        )
