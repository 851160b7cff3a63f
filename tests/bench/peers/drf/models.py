"""The tables: offices and their keys, cases with sections and consents, and events."""

from typing import override
from uuid import uuid4

from django.db import models


class Office(models.Model):
    """An office, which Django REST framework treats as the user of a request."""

    code = models.CharField(max_length=40, unique=True)
    country = models.CharField(max_length=2)
    is_lead = models.BooleanField()
    is_authenticated = True

    @override
    def __str__(self) -> str:
        return self.code


class ApiKey(models.Model):
    """The SHA-256 digest of an API key."""

    digest = models.CharField(max_length=64, unique=True)
    office = models.ForeignKey(Office, on_delete=models.CASCADE)

    @override
    def __str__(self) -> str:
        return f"A key of {self.office}"


class Case(models.Model):
    """A case with its summary."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=20, default="submitted")
    submitted_by = models.ForeignKey(Office, on_delete=models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)
    country = models.CharField(max_length=2)
    age_class = models.CharField(max_length=10)
    language = models.CharField(max_length=10)
    priority = models.CharField(max_length=10)
    services = models.JSONField(default=list)
    urgent_needs = models.JSONField(default=list)
    safe_contact = models.CharField(max_length=10)

    @override
    def __str__(self) -> str:
        return self.id.hex


class Section(models.Model):
    """A section of a case, which is not encrypted."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="sections")
    section = models.CharField(max_length=20)
    summary = models.TextField()

    @override
    def __str__(self) -> str:
        return self.section


class Consent(models.Model):
    """A consent of a case. The service stores it, and never reads it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="consents")
    recipients = models.JSONField()
    given_by = models.CharField(max_length=20)
    language = models.CharField(max_length=10)
    form_version = models.CharField(max_length=20)
    obtained_on = models.DateField()
    expires_at = models.DateTimeField()

    @override
    def __str__(self) -> str:
        return self.form_version


class Event(models.Model):
    """An event in the feed of one office."""

    position = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(default=uuid4)
    office = models.ForeignKey(Office, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField(auto_now_add=True)
    type = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    by = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=["office", "position"], name="event_feed"),)

    @override
    def __str__(self) -> str:
        return f"{self.type} {self.subject}"
