"""The serializers, which validate requests and render responses."""

from typing import Any, override

from rest_framework import serializers

from tests.bench.peers.drf.models import Case, Consent, Event, Section

SUMMARY = (
    "country",
    "age_class",
    "language",
    "priority",
    "services",
    "urgent_needs",
    "safe_contact",
)


class CodeListField(serializers.ListField):
    """A list of short codes."""

    child = serializers.CharField(max_length=20)


class SummarySerializer(serializers.ModelSerializer):
    """The summary of a case."""

    priority = serializers.ChoiceField(["routine", "urgent", "immediate"])
    age_class = serializers.ChoiceField(["adult", "child", "unknown"])
    safe_contact = serializers.ChoiceField(["yes", "no", "unknown"])
    services = CodeListField(min_length=1, max_length=20)
    urgent_needs = CodeListField(max_length=20)

    class Meta:
        model = Case
        fields = SUMMARY


class SectionSerializer(serializers.ModelSerializer):
    """A section of a case."""

    class Meta:
        model = Section
        fields = ("section", "summary")


class ClassSerializer(serializers.Serializer):
    """The offices that a consent names."""

    kind = serializers.ChoiceField(["state", "office"])
    country = serializers.CharField(max_length=2)


class RecipientSerializer(serializers.Serializer):
    """A recipient of a consent."""

    recipient_class = ClassSerializer()
    purposes = CodeListField(min_length=1)
    sections = CodeListField(min_length=1)


class ConsentSerializer(serializers.ModelSerializer):
    """A consent of a case."""

    recipients = RecipientSerializer(many=True)

    class Meta:
        model = Consent
        fields = (
            "recipients",
            "given_by",
            "language",
            "form_version",
            "obtained_on",
            "expires_at",
        )


class CaseSerializer(serializers.ModelSerializer):
    """A case that is submitted with its sections and consents."""

    summary = SummarySerializer(source="*")
    sections = SectionSerializer(many=True, write_only=True)
    consents = ConsentSerializer(many=True, write_only=True)

    class Meta:
        model = Case
        fields = ("id", "version", "state", "created_at", "summary", "sections", "consents")
        read_only_fields = ("id", "version", "state", "created_at")

    @override
    def create(self, validated_data: dict[str, Any]) -> Case:
        sections = validated_data.pop("sections")
        consents = validated_data.pop("consents")
        case = Case.objects.create(**validated_data)
        Section.objects.bulk_create(Section(case=case, **one) for one in sections)
        Consent.objects.bulk_create(Consent(case=case, **one) for one in consents)
        return case


class EventSerializer(serializers.ModelSerializer):
    """An event of the feed."""

    id = serializers.UUIDField(source="event_id")

    class Meta:
        model = Event
        fields = ("id", "at", "type", "subject", "by", "facts")
