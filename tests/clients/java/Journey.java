// A case from submission to help, with a client that was generated from the contract.

import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.safeconduct.client.ApiClient;
import org.safeconduct.client.ApiException;
import org.safeconduct.client.ApiResponse;
import org.safeconduct.client.api.CaseActionsApi;
import org.safeconduct.client.api.CasesApi;
import org.safeconduct.client.api.FeedApi;
import org.safeconduct.client.api.ReferralActionsApi;
import org.safeconduct.client.api.ReferralsApi;
import org.safeconduct.client.model.*;

final class Journey {
  private static final String COUNTRY = "KZ";

  /** Report a step of tests/clients/steps.csv that was checked. */
  private static void report(String step) {
    System.out.println("step " + step);
  }

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

  /** Return the problem of a refused request. */
  private static <T> T readProblem(ApiException error, int status, Class<T> kind) throws Exception {
    check(error.getCode() == status, status + ", not " + error.getCode());
    return new ObjectMapper().readValue(error.getResponseBody(), kind);
  }

  private static ConsentRecipient makeRecipient(OfficeKind kind, Purpose purpose) {
    return new ConsentRecipient()
        .recipientClass(new RecipientClassInput().kind(kind).country(COUNTRY))
        .purposes(List.of(purpose))
        .sections(List.of(Section.NEEDS, Section.CONTACT));
  }

  private static ConsentInput makeConsent(ConsentRecipient... recipients) {
    return new ConsentInput()
        .recipients(List.of(recipients))
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
        .summary(
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
            List.of(
                makeConsent(
                    makeRecipient(OfficeKind.STATE, Purpose.REFER),
                    makeRecipient(OfficeKind.NON_STATE, Purpose.SHELTER))))
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

  /** Return all events of a feed, from the first page to the last. */
  private static List<EventOut> follow(FeedApi feed) throws ApiException {
    List<EventOut> found = new ArrayList<>();
    String after = null;
    while (true) {
      EventPage page = feed.listEvents(after, 2, null, null);
      found.addAll(page.getItems());
      after = page.getCursor();
      if (!page.getMore()) {
        return found;
      }
    }
  }

  public static void main(String[] args) throws Exception {
    CasesApi officer = new CasesApi(createCaller("OFFICER_KEY"));
    ApiClient leads = createCaller("LEAD_KEY");
    ApiClient shelters = createCaller("SHELTER_KEY");

    // A problem names the wrong field, and does not repeat what was sent.
    try {
      officer.createCase(UUID.randomUUID().toString(), makeCase("Kazakhstan"));
      check(false, "an unknown country was accepted");
    } catch (ApiException error) {
      RequestInvalidProblem problem = readProblem(error, 422, RequestInvalidProblem.class);
      String pointer = problem.getErrors().get(0).getPointer();
      check(pointer.equals("#/summary/country"), "the wrong pointer: " + pointer);
      check(!error.getResponseBody().contains("Kazakhstan"), "the input was repeated");
    }
    report("refuse-invalid");

    // A case that is submitted twice with one idempotency key is created once.
    String key = UUID.randomUUID().toString();
    String code = officer.createCaseWithHttpInfo(key, makeCase(COUNTRY)).getData().getCode();
    report("submit");
    ApiResponse<CaseOut> again = officer.createCaseWithHttpInfo(key, makeCase(COUNTRY));
    check(getHeader(again, "Idempotent-Replayed").equals("true"), "not replayed");
    check(again.getData().getCode().equals(code), "two cases");
    report("replay");

    // The lead polls the feed, and acts on the version that it has read.
    waitForEvent(new FeedApi(leads), "case.submitted", "cases/" + code);
    report("poll");
    CaseActionsApi lead = new CaseActionsApi(leads);
    String seen = getHeader(new CasesApi(leads).getCaseWithHttpInfo(code, null, null), "etag");
    ApiResponse<CaseOut> acknowledged = lead.acknowledgeCaseWithHttpInfo(code, seen, null);
    check(acknowledged.getData().getState() == CaseState.UNDER_REVIEW, "not under review");
    report("acknowledge");

    // A conflict: an action on an old version is refused, and so is an action on no version.
    List<DutyContactInput> contacts =
        List.of(
            new DutyContactInput().name("Айгүл Сәрсенова").phone("+77010000001"),
            new DutyContactInput().name("Ильяс Төлеген").phone("+77010000002"));
    AcceptLead promise = new AcceptLead().contacts(contacts);
    try {
      lead.acceptLead(code, seen, promise, null);
      check(false, "an action on an old version was accepted");
    } catch (ApiException error) {
      ProblemDetail problem = readProblem(error, 412, ProblemDetail.class);
      check(problem.getType().equals("/problems/version-stale"), "another: " + problem);
    }
    report("refuse-stale");
    try {
      lead.acceptLead(code, "*", promise, null);
      check(false, "an action on no version was accepted");
    } catch (ApiException error) {
      ProblemDetail problem = readProblem(error, 428, ProblemDetail.class);
      check(problem.getType().equals("/problems/version-not-given"), "another: " + problem);
    }
    report("refuse-unversioned");
    lead.acceptLead(code, getHeader(acknowledged, "etag"), promise, null);
    report("accept-lead");

    // A section without a consent is not sent, and the problem says which consent is required.
    ReferralInput wanted =
        new ReferralInput()
            .recipient("KZ_SHELTER_KOGERSHIN")
            .service(Service.SHELTER)
            .sections(List.of(Section.IDENTITY))
            .send(true);
    ReferralsApi referrals = new ReferralsApi(leads);
    try {
      referrals.createReferral(code, UUID.randomUUID().toString(), wanted, null);
      check(false, "a section without a consent was sent");
    } catch (ApiException error) {
      NeedsUnmetProblem problem = readProblem(error, 409, NeedsUnmetProblem.class);
      UnmetRequirement unmet = problem.getUnmet().get(0);
      check(unmet.getRequirement().equals("consent"), "not a consent: " + unmet);
      check(unmet.getConsent().getPurpose().equals("SHELTER"), "another purpose: " + unmet);
      check(unmet.getConsent().getSections().equals(List.of("identity")), "another: " + unmet);
    }
    report("refuse-unmet");

    // A referral is sent, accepted and completed.
    wanted.sections(List.of(Section.NEEDS));
    UUID id = referrals.createReferral(code, UUID.randomUUID().toString(), wanted, null).getId();
    report("refer");
    waitForEvent(new FeedApi(shelters), "referral.sent", "referrals/" + id);

    ReferralActionsApi shelter = new ReferralActionsApi(shelters);
    String tag = getHeader(new ReferralsApi(shelters).getReferralWithHttpInfo(id, null), "etag");
    tag = getHeader(shelter.acknowledgeReferralWithHttpInfo(id, tag, null), "etag");
    report("acknowledge-referral");
    MeetingInput meeting =
        new MeetingInput()
            .place("Side door")
            .at(OffsetDateTime.parse("2026-06-02T09:00:00+05:00"))
            .person("Гүлнар");
    AcceptReferral arrangement = new AcceptReferral().meeting(meeting).contacts(contacts);
    tag = getHeader(shelter.acceptReferralWithHttpInfo(id, tag, arrangement, null), "etag");
    report("accept-referral");
    StartReferral met = new StartReferral().personMet(true);
    tag = getHeader(shelter.startReferralWithHttpInfo(id, tag, met, null), "etag");
    report("start-referral");
    CompleteReferral end = new CompleteReferral().outcome(Outcome.DELIVERED).feedback("Well");
    ApiResponse<ReferralOut> done = shelter.completeReferralWithHttpInfo(id, tag, end, null);
    check(done.getData().getState() == ReferralState.COMPLETED, "not completed");
    report("complete-referral");

    // A problem names the state that does not allow an action.
    try {
      shelter.completeReferral(id, getHeader(done, "etag"), end, null);
      check(false, "a second completion was accepted");
    } catch (ApiException error) {
      ActionIllegalProblem problem = readProblem(error, 409, ActionIllegalProblem.class);
      check("completed".equals(problem.getState()), "another state: " + problem);
      check(problem.getLegalActions().isEmpty(), "actions are legal: " + problem);
    }
    report("refuse-illegal");

    // The lead follows its feed to the end, and gets each event once.
    List<EventOut> events = follow(new FeedApi(leads));
    Set<UUID> ids = new HashSet<>();
    Set<String> told = new HashSet<>();
    for (EventOut event : events) {
      ids.add(event.getId());
      told.add(event.getType() + " " + event.getSubject());
    }
    check(events.size() > 2 && ids.size() == events.size(), "an event twice, or too few");
    check(told.contains("case.submitted cases/" + code), "no event of the case");
    check(told.contains("referral.completed referrals/" + id), "no event of the referral");
    report("follow-feed");
  }
}
