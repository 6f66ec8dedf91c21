"""Pages of accounts outside the admin: originals and viewing copies of documents, unmasking, customers from a file."""

from django.urls import path

from accounts.views import pictures
from accounts.views import staff as views

app_name = "accounts"
urlpatterns = [
    path("documents/<uuid:key>/original/", views.original, name="original"),
    path("documents/<uuid:key>/copy/<int:number>/", views.copy, name="copy"),
    path("show/<slug:model>/<uuid:key>/<slug:field>/", views.reveal, name="reveal"),
    path("privacy/<uuid:key>/copy/", views.copy_of_person, name="copy_of_person"),
    path("parties/<uuid:key>/owners/export/", views.export_ownership, name="export_ownership"),
    path("parties/<uuid:key>/owners/day/", views.owners_on_a_day, name="owners_on_a_day"),
    path("parties/<uuid:key>/owners/import/", views.import_ownership, name="import_ownership"),
    path("<uuid:key>/access/", pictures.access, name="access"),
    path("parties/<uuid:key>/links/", pictures.links, name="links"),
    path("customers/import/", views.import_customers, name="import_customers"),
]
