"""Pages of cases outside the admin: the download of a bundle."""

from django.urls import path

from cases.views import bundles

app_name = "cases"
urlpatterns = [
    path("bundles/<str:reference>/download/", bundles.download, name="download_bundle"),
]
