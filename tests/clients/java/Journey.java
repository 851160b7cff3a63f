// A case from submission to help, with a client that was generated from the contract.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import org.safeconduct.client.ApiClient;
import org.safeconduct.client.ApiException;
import org.safeconduct.client.ApiResponse;
import org.safeconduct.client.api.CaseActsApi;
import org.safeconduct.client.api.CasesApi;
import org.safeconduct.client.api.FeedApi;
import org.safeconduct.client.api.ReferralActsApi;
import org.safeconduct.client.api.ReferralsApi;
import org.safeconduct.client.model.*;

final class Journey {
  private static final String COUNTRY = "KZ";

  private static ApiClient createCaller(String name) {
    String key = System.getenv(name);
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("SAFE_CONDUCT_URL"));
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + key));
    return client;
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private static String getHeader(ApiResponse<?> response, String name) {
    List<String> found = response.getHeaders().get(name);
    check(found != null && found.size() == 1, "one header " + name);
    return found.get(0);
  }

  private static ConsentInput makeConsent(Kind kind, Purpose purpose) {
    return new ConsentInput()
        .recipientClass(new RecipientClassInput().kind(kind).country(COUNTRY))
        .purposes(List.of(purpose))
        .sections(List.of(Section.NEEDS, Section.CONTACT))
        .givenBy(GivenBy.PERSON)
        .language("uz")
        .formVersion("2026-1")
        .obtainedOn(LocalDate.parse("2026-06-01"))
        .expiresAt(OffsetDateTime.parse("2027-06-01T00:00:00Z"));
  }

  private static CaseInput makeCase(String country) {
    NeedsInput needs = new NeedsInput().section(NeedsInput.SectionEnum.NEEDS).summary("A safe bed");
    IdentityInput identity =
        new IdentityInput()
            .section(IdentityInput.SectionEnum.IDENTITY)
            .names(List.of("Ойгул Ғаниева", "Oygʻul Gʻaniyeva", "أويغول"));
    ContactInput contact =
        new ContactInput()
            .section(ContactInput.SectionEnum.CONTACT)
            .alias("Oygul")
            .safeChannel("Signal, never calls");
    return new CaseInput()
        .notice(
            new SummaryFields()
                .country(country)
                .ageClass(AgeClass.ADULT)
                .language("uz")
                .priority(Priority.URGENT)
                .services(List.of(Service.SHELTER))
                .urgentNeeds(List.of())
                .safeContact(SafeContact.YES))
        .sections(
            List.of(
                new SectionContentInput(needs),
                new SectionContentInput(contact),
                new SectionContentInput(identity)))
        .safeguards(new SafeguardsInput().countryOfOrigin("UZ"))
        .consents(
            List.of(makeConsent(Kind.STATE, Purpose.REFER), makeConsent(Kind.NON_STATE, Purpose.SHELTER)))
        .risk(new RiskInput().level(RiskLevel.MEDIUM))
        .submit(true);
  }

  private static void waitForEvent(FeedApi feed, String type, String subject) throws ApiException {
    String after = null;
    while (true) {
      EventPage page = feed.listEvents(after, null, "wait=5", null);
      boolean found =
          page.getItems().stream()
              .anyMatch(e -> e.getType().equals(type) && e.getSubject().equals(subject));
      if (found) {
        return;
      }
      check(!page.getItems().isEmpty(), "no event " + type);
      after = page.getCursor();
    }
  }

  public static void main(String[] args) throws Exception {
    CasesApi officer = new CasesApi(createCaller("OFFICER_KEY"));
    ApiClient leads = createCaller("LEAD_KEY");
    ApiClient shelters = createCaller("SHELTER_KEY");

    // A problem names the wrong field, and does not repeat what was sent.
    try {
      officer.writeCase(UUID.randomUUID().toString(), makeCase("Kazakhstan"));
      check(false, "an unknown country was accepted");
    } catch (ApiException error) {
      check(error.getCode() == 422, "422, not " + error.getCode());
      JsonNode problem = new ObjectMapper().readTree(error.getResponseBody());
      String pointer = problem.at("/errors/0/pointer").asText();
      check(pointer.equals("#/summary/country"), "the wrong pointer: " + error.getResponseBody());
      check(!error.getResponseBody().contains("Kazakhstan"), "the input was repeated");
    }

    // A case that is submitted twice with one idempotency key is created once.
    String key = UUID.randomUUID().toString();
    String code = officer.writeCaseWithHttpInfo(key, makeCase(COUNTRY)).getData().getCode();
    ApiResponse<CaseOut> again = officer.writeCaseWithHttpInfo(key, makeCase(COUNTRY));
    check(getHeader(again, "Idempotent-Replayed").equals("true"), "not replayed");
    check(again.getData().getCode().equals(code), "two cases");

    // The lead polls the feed, and acts on the version that it has read.
    waitForEvent(new FeedApi(leads), "case.submitted", "cases/" + code);
    CaseActsApi lead = new CaseActsApi(leads);
    String seen = getHeader(new CasesApi(leads).getCaseWithHttpInfo(code, null, null), "etag");
    ApiResponse<CaseOut> acknowledged = lead.acknowledgeCaseWithHttpInfo(code, seen, null);
    check(acknowledged.getData().getState() == CaseState.UNDER_REVIEW, "not under review");

    // A conflict: an action on an old version is refused.
    List<DutyContactInput> contacts =
        List.of(
            new DutyContactInput().name("Айгүл Сәрсенова").phone("+77010000001"),
            new DutyContactInput().name("Ильяс Төлеген").phone("+77010000002"));
    AcceptLead promise = new AcceptLead().contacts(contacts);
    try {
      lead.acceptLead(code, seen, promise, null);
      check(false, "an action on an old version was accepted");
    } catch (ApiException error) {
      check(error.getCode() == 412, "412, not " + error.getCode());
    }
    lead.acceptLead(code, getHeader(acknowledged, "etag"), promise, null);

    // A section without a consent is not sent, and the problem says which consent is required.
    ReferralInput wanted =
        new ReferralInput()
            .recipient("KZ_SHELTER_KOGERSHIN")
            .service(Service.SHELTER)
            .sections(List.of(Section.IDENTITY))
            .send(true);
    ReferralsApi referrals = new ReferralsApi(leads);
    try {
      referrals.openReferral(code, UUID.randomUUID().toString(), wanted, null);
      check(false, "a section without a consent was sent");
    } catch (ApiException error) {
      NeedsUnmetProblem problem =
          new ObjectMapper().readValue(error.getResponseBody(), NeedsUnmetProblem.class);
      UnmetRequirement unmet = problem.getUnmet().get(0);
      check(unmet.getRequirement().equals("consent"), "not a consent: " + unmet);
      check(unmet.getConsent().getPurpose().equals("SHELTER"), "another purpose: " + unmet);
      check(unmet.getConsent().getSections().equals(List.of("identity")), "another: " + unmet);
    }

    // A referral is sent, accepted and completed.
    wanted.sections(List.of(Section.NEEDS));
    UUID id = referrals.openReferral(code, UUID.randomUUID().toString(), wanted, null).getId();
    waitForEvent(new FeedApi(shelters), "referral.sent", "referrals/" + id);

    ReferralActsApi shelter = new ReferralActsApi(shelters);
    String tag = getHeader(new ReferralsApi(shelters).getReferralWithHttpInfo(id, null), "etag");
    tag = getHeader(shelter.acknowledgeReferralWithHttpInfo(id, tag, null), "etag");
    MeetingInput meeting =
        new MeetingInput()
            .place("Side door")
            .at(OffsetDateTime.parse("2026-06-02T09:00:00+05:00"))
            .person("Гүлнар");
    AcceptReferral arrangement = new AcceptReferral().meeting(meeting).contacts(contacts);
    tag = getHeader(shelter.acceptReferralWithHttpInfo(id, tag, arrangement, null), "etag");
    StartReferral met = new StartReferral().personMet(true);
    tag = getHeader(shelter.startReferralWithHttpInfo(id, tag, met, null), "etag");
    CompleteReferral end = new CompleteReferral().outcome(Outcome.DELIVERED).feedback("Well");
    ReferralOut done = shelter.completeReferral(id, tag, end, null);
    check(done.getState() == ReferralState.COMPLETED, "not completed");
    System.out.println(code + ": completed");
  }
}
