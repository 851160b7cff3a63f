"""The paths of the service."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tests.bench.peers.drf.views import CaseViewSet, EventViewSet

router = SimpleRouter(trailing_slash=False)
router.register("cases", CaseViewSet, basename="case")
router.register("events", EventViewSet, basename="event")
urlpatterns = [path("v1/", include(router.urls))]
