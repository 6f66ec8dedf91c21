"""The reseller manager's own pages."""

from django.urls import path

from resellers import views

app_name = "resellers"
urlpatterns = [
    path("", views.customers, name="customers"),
    path("password/", views.PasswordChange.as_view(), name="password"),
]
