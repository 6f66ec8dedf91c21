"""Pages of cases outside the admin: the downloads of bundles and of abuse reports."""

from django.urls import path

from cases.views import bundles, reports

app_name = "cases"
urlpatterns = [
    path("bundles/<str:reference>/download/", bundles.download, name="download_bundle"),
    path("reports/<uuid:key>/original/", reports.original, name="download_report"),
]
