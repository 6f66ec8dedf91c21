"""SealedTextField: text encrypted at rest under its subject's key, masked wherever it is shown."""

from collections.abc import Callable
from copy import copy
from functools import partial
from uuid import UUID

from django.db import models

from kyc_portal.records.keys import ensure_key, key_of_subject, seal, unseal

MASK = "••••••"
Home = tuple[UUID, str]


class SealedText:
    """A sealed value in memory; printing it shows dots, `reveal()` gives the clear text.

    `home` gives the (subject, place) the sealed bytes belong to, as they were when the bytes were loaded.
    """

    def __init__(self, home: Callable[[], Home] | None = None, *, clear: str | None = None, sealed: bytes = b""):
        self._home, self._clear, self._sealed = home, clear, sealed

    def reveal(self) -> str:
        """The clear text; one query for the subject's key. Raises KeyProblem when that key is gone."""
        if self._clear is None:
            subject, place = self._home()
            self._clear = unseal(key_of_subject(subject), self._sealed, place).decode()
        return self._clear

    def for_database(self, home: Home) -> bytes:
        """The bytes to store at `home`; a value copied to another row is opened and sealed anew for its new place."""
        if not self._sealed or home != self._home():
            clear, (subject, place) = self.reveal(), home
            self._home, self._sealed = lambda: home, seal(ensure_key(subject), clear.encode(), place)
        return self._sealed

    def __str__(self):
        return MASK

    __repr__ = __str__


class _SealedAttribute:
    """Turns what is assigned (clear text) or loaded (bytes) into a SealedText bound to its row."""

    def __init__(self, field):
        self.field = field

    def __get__(self, instance, owner=None):
        if instance is None:
            return self.field
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        return instance.__dict__[self.field.attname]

    def __set__(self, instance, value):
        if isinstance(value, str):
            value = SealedText(clear=value) if value else None
        elif isinstance(value, bytes | memoryview):
            value = SealedText(self.field.home_now(instance), sealed=bytes(value))
        elif isinstance(value, SealedText):
            value = copy(value)  # another row's value must not change when this row is saved
        instance.__dict__[self.field.attname] = value


class SealedTextField(models.Field):
    """Text sealed with AES-256-GCM; bound to `app.model.field` and the row's key, so that it cannot be moved.

    `under` names the attribute of the row that holds the subject's UUID. No look-ups: equality goes through keyed
    fingerprints (accounts.models.identifier). Empty text is kept as NULL.
    """

    description = "sealed text"
    empty_strings_allowed = False

    def __init__(self, *args, under: str = "party_id", **kwargs):
        self.under = under
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        if self.under != "party_id":
            kwargs["under"] = self.under
        return name, path, args, kwargs

    def get_internal_type(self):
        return "BinaryField"

    def contribute_to_class(self, cls, name, private_only=False):
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _SealedAttribute(self))

    def home_now(self, instance) -> Callable[[], Home]:
        """The home as it is now; looked up when it is wanted if the row was loaded without its subject."""
        subject = self.model._meta.pk.attname if self.under == "pk" else self.under
        if subject not in instance.__dict__:
            return partial(self.home_of, instance)
        home = self.home_of(instance)
        return lambda: home

    def home_of(self, instance) -> Home:
        """The subject whose key seals this row's value, and the place the value is bound to."""
        return getattr(instance, self.under), f"{self.model._meta.label_lower}.{self.attname}:{instance.pk}"

    def pre_save(self, model_instance, add):
        value = getattr(model_instance, self.attname)
        return None if value is None else value.for_database(self.home_of(model_instance))

    def get_db_prep_value(self, value, connection, prepared=False):
        if value is None:
            return None
        if not isinstance(value, bytes):
            raise TypeError(f"{self.name} is sealed: write it through its row, and find it through its fingerprint.")
        return connection.Database.Binary(value)

    def get_lookup(self, lookup_name):
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj):
        return MASK
