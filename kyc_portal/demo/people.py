"""The people who log in to the demo: one for each role, all with the same password, for this local world only."""

from datetime import datetime

from django.contrib.auth.models import Group

from kyc_portal.records.refs import SCHEDULER
from kyc_portal.staff.models import StaffMember
from kyc_portal.staff.roles import give_roles

PASSWORD = "portal-demo-2026"  # noqa: S105  printed on purpose; the demo app is not part of production

PEOPLE = {
    "rosa": "reviewer",
    "ravi": "reviewer",
    "lena": "lead reviewer",
    "desmond": "reseller desk",
    "mina": "reseller manager",
    "laszlo": "legal",
    "livia": "legal",
    "conrad": "compliance",
    "selma": "senior manager",
    "audra": "auditor",
    "adrian": "administrator",
}


def add_people(at: datetime) -> dict[str, StaffMember]:
    """Everybody of PEOPLE, by username; the groups must be there (sync_roles)."""
    people = {}
    for username, role in PEOPLE.items():
        user = StaffMember.objects.create_user(
            username, email=f"{username}@provider.example", password=PASSWORD, first_name=username.title()
        )
        Group.objects.get(name=role)
        people[username] = give_roles(user, [role], by=SCHEDULER, at=at)
    return people
