"""The reseller manager's own pages."""

from django.urls import path

from resellers.views import cip, customers

app_name = "resellers"
urlpatterns = [
    path("", customers.customers, name="customers"),
    path("<str:reference>/cip/", cip.page, name="cip"),
    path("password/", customers.PasswordChange.as_view(), name="password"),
]
