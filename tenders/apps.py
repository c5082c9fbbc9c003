from django.apps import AppConfig


class TendersConfig(AppConfig):
    name = "tenders"
    verbose_name = "Tenders"

    def ready(self) -> None:
        from . import alert_handlers, enrichment_handlers, entities, handlers, outgoing_handlers, webhooks  # noqa: F401
