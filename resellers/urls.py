"""The reseller manager's own pages."""

from django.urls import path

from resellers.views import cip, counts, customers, findings, sampling

app_name = "resellers"
urlpatterns = [
    path("", customers.customers, name="customers"),
    path("<str:reference>/cip/", cip.page, name="cip"),
    path("findings/", findings.own, name="findings"),
    path("findings/<str:reference>/", findings.one, name="finding"),
    path("samples/", sampling.own, name="samples"),
    path("samples/<str:reference>/", sampling.one, name="sample"),
    path("sampled/<str:reference>/", sampling.hand_in, name="sampled"),
    path("counts/", counts.own, name="counts"),
    path("password/", customers.PasswordChange.as_view(), name="password"),
]
