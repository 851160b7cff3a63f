"""The command `django-admin create_offices SUBMITTER_KEY LEAD_KEY`."""

from argparse import ArgumentParser
from typing import Any, override

from django.core.management.base import BaseCommand

from tests.bench.peers.drf.authentication import compute_digest
from tests.bench.peers.drf.models import ApiKey, Office


class Command(BaseCommand):
    """A command that creates a submitter and a lead with the given API keys."""

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("submitter_key")
        parser.add_argument("lead_key")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        offices = [
            Office(code="UZ_CONSULATE_ALMATY", country="UZ", is_lead=False),
            Office(code="KZ_LEAD", country="KZ", is_lead=True),
        ]
        keys = (options["submitter_key"], options["lead_key"])
        for office, key in zip(offices, keys, strict=True):
            office.save()
            ApiKey.objects.create(digest=compute_digest(key), office=office)
