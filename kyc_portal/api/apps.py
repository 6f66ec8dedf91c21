from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "kyc_portal.api"
    label = "api"
    verbose_name = "Other systems"

    def ready(self):
        from accounts import events
        from kyc_portal.api import tiles, webhook_sending, webhooks
        from kyc_portal.staff.site import add_tiles
        from kyc_portal.work import queue

        events.access_changed.connect(webhooks.queue_changes, dispatch_uid="api.webhooks")
        queue.register(webhooks.SEND, webhook_sending.send_due)
        add_tiles(*tiles.TILES)
