"""The customer's own page; only the first address holds a secret."""

from django.urls import path

from accounts.views import customer as views

app_name = "customer"
urlpatterns = [
    path("", views.start, name="start"),
    path("link/<str:token>/", views.link, name="link"),
    path("give/<slug:key>/", views.part, name="part"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("contact/<slug:key>/", views.contact, name="contact"),
    path("objection/", views.objection, name="objection"),
    path("done/", views.done, name="done"),
    path("leave/", views.leave, name="leave"),
]
