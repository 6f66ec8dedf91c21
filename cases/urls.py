"""Pages of cases outside the admin: the download of a bundle."""

app_name = "cases"
urlpatterns = []
