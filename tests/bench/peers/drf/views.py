"""The view sets, with which offices submit cases and read their feeds."""

from typing import Any, override

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import mixins, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from tests.bench.peers.drf.models import Event, Office
from tests.bench.peers.drf.serializers import CaseSerializer, EventSerializer

MOST = 200
"""The highest number of events on a page."""


class CaseViewSet(mixins.CreateModelMixin, viewsets.GenericViewSet):
    """Cases, which an office submits to the lead of a country."""

    serializer_class = CaseSerializer

    @override
    def perform_create(self, serializer: BaseSerializer) -> None:
        """Store the case, and deliver the event to the lead, in one transaction."""
        with transaction.atomic():
            case = serializer.save(submitted_by=self.request.user)
            Event.objects.create(
                office=Office.objects.get(country=case.country, is_lead=True),
                type="case.submitted",
                subject=f"cases/{case.id}",
                by=self.request.user.code,
            )

    @override
    def get_success_headers(self, data: dict[str, Any]) -> dict[str, str]:
        return {"Location": f"/v1/cases/{data['id']}", "ETag": f'"{data["version"]}"'}


class FeedPagination(BasePagination):
    """Pagination of a feed: a page contains the events after the position in `after`."""

    @override
    def paginate_queryset(
        self, queryset: QuerySet[Event], request: Request, view: Any = None
    ) -> list[Event]:
        self.after = read_number(request, "after", 0)
        limit = min(read_number(request, "limit", 50), MOST)
        rows = list(queryset.filter(position__gt=self.after)[: limit + 1])
        self.more, page = len(rows) > limit, rows[:limit]
        self.after = page[-1].position if page else self.after
        return page

    @override
    def get_paginated_response(self, data: list[dict[str, Any]]) -> Response:
        return Response({"items": data, "cursor": str(self.after), "more": self.more})


def read_number(request: Request, name: str, default: int) -> int:
    """Return a query parameter as a number, or `default` if it is missing.

    Raises ValidationError (400) if the parameter is not a number.
    """
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise ValidationError({name: "This must be a number."})
    return int(text)


class EventViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """The feed of the office that sends the request."""

    serializer_class = EventSerializer
    pagination_class = FeedPagination

    @override
    def get_queryset(self) -> QuerySet[Event]:
        return Event.objects.filter(office=self.request.user).order_by("position")
