"""The people who log in: who they are, which roles they hold, and who gave them those."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import admin

from kyc_portal.staff import factors, people, sessions, throttling
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.admin.forms import MemberForm, RolesForm
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.roles import ROLES
from kyc_portal.staff.sections import Badge, Facts, timeline_section


def _roles_of(user: StaffMember) -> list[str]:
    return sorted(group.name for group in user.groups.all())


def _factors_of(user: StaffMember) -> list[str]:
    return sorted({each.get_type_display().lower() for each in Authenticator.objects.filter(user=user)})


def _link_sentence(link: str) -> str:
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return f"Give them this link, which works once within {hours} hours and is not shown again: {link}"


class ActiveFilter(QuerysetFilter):
    title = "state"
    parameter_name = "state"
    options = {
        "active": ("active", lambda rows, user, today: rows.filter(is_active=True)),
        "inactive": ("inactive", lambda rows, user, today: rows.filter(is_active=False)),
    }


class RoleFilter(QuerysetFilter):
    title = "role"
    parameter_name = "role"
    options = {role: (role, lambda rows, user, today, role=role: rows.filter(groups__name=role)) for role in ROLES}


@admin.register(StaffMember)
class StaffMemberAdmin(RecordAdmin):
    list_display = ["username", "email", "role_names", "is_active", "last_login"]
    list_filter = [ActiveFilter, RoleFilter]
    search_fields = ["username", "email"]
    ordering = ["username"]
    adding = MemberForm
    add_label = "Add a member of staff"
    adding_is_grave = True

    @admin.display(description="roles")
    def role_names(self, user):
        return ", ".join(_roles_of(user)) or "none"

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def add(self, *, by, at, **cleaned):
        member = people.add_member(by=by, at=at, **cleaned)
        return member, f"{member.username} is added. {_link_sentence(people.give_link(member, by=by, at=at))}"

    def badges(self, user):
        return [Badge("active", "good") if user.is_active else Badge("inactive")]

    def sections(self, member, *, user, at):
        rows = [
            ("User name", member.username), ("E-mail", member.email), ("Roles", self.role_names(member)),
            ("Time zone", member.time_zone), ("Added", member.date_joined), ("Last log-in", member.last_login),
            ("Second factors", ", ".join(_factors_of(member)) or "none"),
            ("Sessions", UserSession.objects.filter(user=member).count()),
        ]  # fmt: skip
        return [Facts("person", "The person", rows), timeline_section(member)]

    @flow_action(
        "Change roles", form=RolesForm, when=lambda member: member.is_active,
        initial=lambda member: {"roles": _roles_of(member)}, grave=True,
    )  # fmt: skip
    def change_roles(self, member, *, by, at, roles):
        people.change_roles(member, roles, by=by, at=at)
        return f"{member.username} is now {', '.join(sorted(roles))}."

    @flow_action(
        "Give a new log-in link", when=lambda member: member.is_active, grave=True,
        warning="Their password stops working and their sessions end. They choose a new password by the link.",
    )  # fmt: skip
    def give_link(self, member, *, by, at):
        return _link_sentence(people.give_link(member, by=by, at=at))

    @flow_action(
        "Remove second factors", tone="danger", grave=True,
        when=lambda member: Authenticator.objects.filter(user=member).exists(),
        warning="Make sure by another way that it is they who ask. Their sessions end; they enrol anew at log-in.",
    )  # fmt: skip
    def remove_factors(self, member, *, by, at):
        factors.clear(member, by=by, at=at)
        return f"{member.username} has no second factor any more."

    @flow_action("End all sessions", when=lambda member: member.is_active)
    def end_sessions(self, member, *, by, at):
        sessions.end_all(member, reason="administrator", by=by, at=at)
        return f"All sessions of {member.username} have ended."

    @flow_action("Lift the lock on log-ins", when=throttling.is_counted)
    def lift_lock(self, member, *, by, at):
        throttling.lift(member, by=by, at=at)
        return f"{member.username} can try to log in again."

    @flow_action(
        "Make inactive", tone="danger", when=lambda member: member.is_active,
        warning="They are logged out at their next click. Their name stays in the trail.",
    )  # fmt: skip
    def make_inactive(self, member, *, by, at):
        people.leave(member, by=by, at=at)
        return f"{member.username} is inactive."
