"""The reseller manager's own pages."""

from django.urls import path

from resellers.views import accounts, cip, ending, findings, messages, overview, roster

app_name = "resellers"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("customers/", roster.roster, name="roster"),
    path("customers/<str:reference>/", roster.one, name="customer"),
    path("<str:reference>/cip/", cip.page, name="cip"),
    path("findings/", findings.own, name="findings"),
    path("findings/<str:reference>/", findings.one, name="finding"),
    path("messages/", messages.own, name="messages"),
    path("messages/<str:reference>/", messages.one, name="message"),
    path("ending/", ending.own, name="ending"),
    path("password/", accounts.PasswordChange.as_view(), name="password"),
]
