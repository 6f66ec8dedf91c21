from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PolicyConfig(AppConfig):
    name = "kyc_portal.policy"
    label = "policy"
    verbose_name = "Policy"

    def ready(self):
        from kyc_portal.policy.current import load_shipped

        post_migrate.connect(load_shipped, sender=self)
