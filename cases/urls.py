"""Pages of cases outside the admin: the review queue and its acts, the downloads of bundles and of abuse reports."""

from django.urls import path

from cases.views import absences, break_in, bulk, bundles, property_reports, queue, reports, workspace

app_name = "cases"
urlpatterns = [
    path("bundles/<str:reference>/download/", bundles.download, name="download_bundle"),
    path("bundles/<str:reference>/preview/", bundles.preview, name="preview_bundle"),
    path("property-reports/<uuid:key>/<str:kind>/", property_reports.file, name="property_report_file"),
    path("reports/<uuid:key>/original/", reports.original, name="download_report"),
]

ON_A_CASE = ("take", "note", "check", "propose", "countersign", "decline", "withdraw", "undo")

# At /review/; names are "review:queue" and so on.
review = (
    [
        path("", queue.show, name="queue"),
        path("next/", queue.take_next, name="next"),
        path("bulk/assign/", bulk.assign, name="assign"),
        path("bulk/close/", bulk.close, name="close"),
        path("bulk/decide/", bulk.decide, name="decide"),
        path("views/", queue.save_view, name="save_view"),
        path("views/<uuid:saved>/let-go/", queue.let_view_go, name="let_view_go"),
        path("absences/", absences.show, name="absences"),
        path("absences/<uuid:absence>/end/", absences.end, name="end_absence"),
        path("restricted/", break_in.show, name="break_in"),
        path("<str:reference>/", workspace.show, name="case"),
        *(path(f"<str:reference>/{name}/", workspace.act, {"name": name}, name=f"case_{name}") for name in ON_A_CASE),
    ],
    "review",
)
