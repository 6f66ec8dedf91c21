"""The portal in which a U.S. cloud provider runs its know-your-customer programme."""

from kyc_portal.celery import app as celery_app

__all__ = ["celery_app"]
