"""SealedTextField: text encrypted at rest under its subject's key, masked wherever it is shown."""

from django.db import models

from kyc_portal.records.keys import ensure_key, key_of_subject, seal, unseal

MASK = "••••••"


class SealedText:
    """A sealed value in memory; printing it shows dots, `reveal()` gives the clear text."""

    def __init__(self, owner: models.Model, field: "SealedTextField", *, clear: str | None = None, sealed: bytes = b""):
        self._owner, self._field, self._clear, self._sealed = owner, field, clear, sealed

    def reveal(self) -> str:
        """The clear text; one query for the subject's key. Raises KeyProblem when that key is gone."""
        if self._clear is None:
            key = key_of_subject(self._field.subject_of(self._owner))
            self._clear = unseal(key, self._sealed, self._field.place_of(self._owner)).decode()
        return self._clear

    def for_database(self) -> bytes:
        if not self._sealed:
            key = ensure_key(self._field.subject_of(self._owner))
            self._sealed = seal(key, self._clear.encode(), self._field.place_of(self._owner))
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
        value = instance.__dict__[self.field.attname]
        if isinstance(value, bytes | memoryview):
            value = SealedText(instance, self.field, sealed=bytes(value))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance, value):
        if isinstance(value, str):
            value = SealedText(instance, self.field, clear=value) if value else None
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

    def subject_of(self, instance):
        return getattr(instance, self.under)

    def place_of(self, instance) -> str:
        return f"{self.model._meta.label_lower}.{self.attname}:{instance.pk}"

    def pre_save(self, model_instance, add):
        value = getattr(model_instance, self.attname)
        return None if value is None else value.for_database()

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
