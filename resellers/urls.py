"""The reseller manager's own pages."""

from django.urls import path

from resellers.views import (
    accounts,
    attestation,
    certification,
    cip,
    counts,
    ending,
    findings,
    messages,
    overview,
    roster,
    sampling,
    uploads,
)

app_name = "resellers"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("customers/", roster.roster, name="roster"),
    path("customers/<str:reference>/", roster.one, name="customer"),
    path("files/", uploads.uploads, name="uploads"),
    path("files/template.<str:kind>", uploads.template, name="template"),
    path("files/<str:reference>/", uploads.one, name="upload"),
    path("files/<str:reference>/bad-rows.csv", uploads.bad_rows, name="bad_rows"),
    path("<str:reference>/cip/", cip.page, name="cip"),
    path("certification/", certification.certification, name="certification"),
    path("certifications/", certification.acts, name="certifications"),
    path("certifications/<str:reference>/", certification.one, name="certified"),
    path("attestations/", attestation.own, name="attestations"),
    path("attestations/<str:reference>/", attestation.one, name="attestation"),
    path("findings/", findings.own, name="findings"),
    path("findings/<str:reference>/", findings.one, name="finding"),
    path("messages/", messages.own, name="messages"),
    path("messages/<str:reference>/", messages.one, name="message"),
    path("samples/", sampling.own, name="samples"),
    path("samples/<str:reference>/", sampling.one, name="sample"),
    path("sampled/<str:reference>/", sampling.hand_in, name="sampled"),
    path("counts/", counts.own, name="counts"),
    path("ending/", ending.own, name="ending"),
    path("password/", accounts.PasswordChange.as_view(), name="password"),
]
