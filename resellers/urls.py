"""The reseller manager's own pages."""

from django.urls import path

from resellers.views import cip, customers, findings

app_name = "resellers"
urlpatterns = [
    path("", customers.customers, name="customers"),
    path("<str:reference>/cip/", cip.page, name="cip"),
    path("findings/", findings.own, name="findings"),
    path("findings/<str:reference>/", findings.one, name="finding"),
    path("password/", customers.PasswordChange.as_view(), name="password"),
]
