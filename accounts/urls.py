"""Pages of accounts outside the admin: downloads and viewing copies of documents."""

app_name = "accounts"
urlpatterns = []
