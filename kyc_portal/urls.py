"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path

from cases.urls import review
from kyc_portal.staff import views as staff_views

urlpatterns = [
    path("", staff_views.start, name="start"),
    path("health/", staff_views.health, name="health"),
    path("", include("kyc_portal.staff.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("kyc_portal.api.urls")),
    path("accounts/", include("accounts.urls")),
    path("me/", include("accounts.urls.customer")),
    path("cases/", include("cases.urls")),
    path("review/", include(review)),
    path("resellers/", include("resellers.urls")),
]

handler400 = "kyc_portal.api.endpoints.bad_request"
handler500 = "kyc_portal.staff.browsers.server_error"
