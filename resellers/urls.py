"""The reseller manager's own pages."""

app_name = "resellers"
urlpatterns = []
