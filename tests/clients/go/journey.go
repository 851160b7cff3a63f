// A case from submission to help, with a client that was generated from the contract.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	client "safeconduct"
)

const recipient = "KZ_SHELTER_KOGERSHIN"

// A caller has the client and the context of one office.
type caller struct {
	*client.APIClient
	context.Context
}

func newCaller(name string) caller {
	settings := client.NewConfiguration()
	settings.Servers = client.ServerConfigurations{{URL: os.Getenv("SAFE_CONDUCT_URL")}}
	key := context.WithValue(context.Background(), client.ContextAccessToken, os.Getenv(name))
	return caller{client.NewAPIClient(settings), key}
}

// report reports a step of tests/clients/steps.csv that was checked.
func report(step string) {
	fmt.Println("step " + step)
}

func check(holds bool, what string, about ...any) {
	if !holds {
		log.Fatalf("%s: %v", what, about)
	}
}

// done returns the answer and the entity tag of a request that must succeed.
func done[T any](answer T, response *http.Response, err error) (T, string) {
	check(err == nil, "a request failed", err)
	return answer, response.Header.Get("ETag")
}

// refused returns the problem of a request that must be refused with this status. Model()
// would return a union, which takes some problems for the general ProblemDetail.
func refused[P any](status int, response *http.Response, err error) (problem P) {
	var failure *client.GenericOpenAPIError
	check(response != nil && response.StatusCode == status, "another answer", response, err)
	check(errors.As(err, &failure), "an error without a problem", err)
	check(json.Unmarshal(failure.Body(), &problem) == nil, "another problem", failure)
	check(!strings.Contains(string(failure.Body()), "Kazakhstan"), "the input was repeated")
	return problem
}

func newKey() string {
	return rand.Text()
}

func newRecipient(kind client.OfficeKind, purpose client.Purpose) client.ConsentRecipient {
	recipient := client.NewConsentRecipient([]client.Purpose{purpose})
	recipient.SetRecipientClass(*client.NewRecipientClassInput(kind, "KZ"))
	recipient.SetSections([]client.Section{client.SECTION_NEEDS, client.SECTION_CONTACT})
	return *recipient
}

func newConsent(recipients ...client.ConsentRecipient) client.ConsentInput {
	expires := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	by := client.GIVENBY_PERSON
	return *client.NewConsentInput(by, "uz", "2026-1", "2026-06-01", expires, recipients)
}

func newCase(country string) client.CaseInput {
	summary := client.NewSummaryFields()
	summary.SetCountry(country)
	summary.SetAgeClass(client.AGECLASS_ADULT)
	summary.SetLanguage("uz")
	summary.SetPriority(client.PRIORITY_URGENT)
	summary.SetServices([]client.Service{client.SERVICE_SHELTER})
	summary.SetSafeContact(client.SAFECONTACT_YES)

	names := []string{"Ойгул Ғаниева", "Oygʻul Gʻaniyeva", "أويغول"}
	needs := client.NewNeedsInput("needs", "A safe bed tonight")
	contact := client.NewContactInput("contact", "Oygul", "Signal, never calls")
	identity := client.NewIdentityInput("identity", names)
	safeguards := client.NewSafeguardsInput()
	safeguards.SetCountryOfOrigin("UZ")

	made := client.NewCaseInput(*summary)
	made.SetSections([]client.SectionContentInput{
		client.NeedsInputAsSectionContentInput(needs),
		client.ContactInputAsSectionContentInput(contact),
		client.IdentityInputAsSectionContentInput(identity),
	})
	made.SetSafeguards(*safeguards)
	made.SetConsents([]client.ConsentInput{
		newConsent(
			newRecipient(client.OFFICEKIND_STATE, client.PURPOSE_REFER),
			newRecipient(client.OFFICEKIND_NON_STATE, client.PURPOSE_SHELTER),
		),
	})
	made.SetRisk(*client.NewRiskInput(client.RISKLEVEL_MEDIUM))
	made.SetSubmit(true)
	return *made
}

// waitForEvent polls until an event of this type arrives.
func (who caller) waitForEvent(kind, subject string) {
	query := who.FeedAPI.ListEvents(who).Prefer("wait=5")
	for {
		page, _ := done(query.Execute())
		for _, event := range page.Items {
			if event.Type == kind && event.Subject == subject {
				return
			}
		}
		check(len(page.Items) > 0, "no event", kind)
		query = query.After(page.Cursor)
	}
}

// follow returns all events of a feed, from the first page to the last.
func (who caller) follow() (found []client.EventOut) {
	query := who.FeedAPI.ListEvents(who).Limit(2)
	for {
		page, _ := done(query.Execute())
		found = append(found, page.Items...)
		if !page.More {
			return found
		}
		query = query.After(page.Cursor)
	}
}

func (who caller) refer(code string, section client.Section) client.ApiCreateReferralRequest {
	body := client.NewReferralInput(recipient, client.SERVICE_SHELTER)
	body.SetSections([]client.Section{section})
	body.SetSend(true)
	return who.ReferralsAPI.CreateReferral(who, code).IdempotencyKey(newKey()).ReferralInput(*body)
}

// submit submits a case, with an error and a repetition, and returns its code.
func submit(officer caller) string {
	wrong := officer.CasesAPI.CreateCase(officer).IdempotencyKey(newKey())
	_, response, err := wrong.CaseInput(newCase("Kazakhstan")).Execute()
	invalid := refused[client.RequestInvalidProblem](422, response, err)
	check(invalid.Errors[0].Pointer == "#/summary/country", "another field", invalid)
	report("refuse-invalid")

	request := officer.CasesAPI.CreateCase(officer).IdempotencyKey(newKey())
	request = request.CaseInput(newCase("KZ"))
	first, _ := done(request.Execute())
	report("submit")
	again, response, err := request.Execute()
	check(err == nil && again.Code == first.Code, "two cases", err)
	check(response.Header.Get("Idempotent-Replayed") == "true", "not replayed")
	report("replay")
	return first.Code
}

// takeLead acknowledges and accepts a case, with an action on an old version and on none.
func takeLead(lead caller, code string, duty []client.DutyContactInput) {
	lead.waitForEvent("case.submitted", "cases/"+code)
	report("poll")
	_, seen := done(lead.CasesAPI.GetCase(lead, code).Execute())
	taken, tag := done(lead.CaseActionsAPI.AcknowledgeCase(lead, code).IfMatch(seen).Execute())
	check(taken.State == client.CASESTATE_UNDER_REVIEW, "another state", taken.State)
	report("acknowledge")

	promise := client.NewAcceptLead()
	promise.SetContacts(duty)
	accept := lead.CaseActionsAPI.AcceptLead(lead, code).AcceptLead(*promise)
	_, response, err := accept.IfMatch(seen).Execute()
	stale := refused[client.ProblemDetail](412, response, err)
	check(stale.Type == "/problems/version-stale", "another problem", stale)
	report("refuse-stale")
	_, response, err = accept.IfMatch("*").Execute()
	unseen := refused[client.ProblemDetail](428, response, err)
	check(unseen.Type == "/problems/version-not-given", "another problem", unseen)
	report("refuse-unversioned")
	done(accept.IfMatch(tag).Execute())
	report("accept-lead")
}

// refer sends a referral, after one without a consent, and returns its id.
func refer(lead caller, code string) string {
	_, response, err := lead.refer(code, client.SECTION_IDENTITY).Execute()
	unmet := refused[client.NeedsUnmetProblem](409, response, err).Unmet[0]
	asked := unmet.Consent.Get()
	check(unmet.Requirement == "consent" && asked != nil, "another requirement", unmet)
	check(asked.Purpose == "SHELTER", "another purpose", asked.Purpose)
	check(fmt.Sprint(asked.Sections) == "[identity]", "other sections", asked.Sections)
	check(asked.GetRecipient() == recipient, "another recipient", asked.GetRecipient())
	report("refuse-unmet")
	opened, _ := done(lead.refer(code, client.SECTION_NEEDS).Execute())
	report("refer")
	return opened.Id
}

// help carries out a referral.
func help(shelter caller, id string, duty []client.DutyContactInput) {
	acts := shelter.ReferralActionsAPI
	shelter.waitForEvent("referral.sent", "referrals/"+id)
	_, tag := done(shelter.ReferralsAPI.GetReferral(shelter, id).Execute())
	_, tag = done(acts.AcknowledgeReferral(shelter, id).IfMatch(tag).Execute())
	report("acknowledge-referral")
	at := time.Date(2026, 6, 2, 4, 0, 0, 0, time.UTC)
	meeting := *client.NewMeetingInput("Side door", at, "Гүлнар")
	promise := client.NewAcceptReferral(meeting)
	promise.SetContacts(duty)
	accept := acts.AcceptReferral(shelter, id).AcceptReferral(*promise)
	_, tag = done(accept.IfMatch(tag).Execute())
	report("accept-referral")
	start := acts.StartReferral(shelter, id).StartReferral(*client.NewStartReferral(true))
	_, tag = done(start.IfMatch(tag).Execute())
	report("start-referral")

	end := *client.NewCompleteReferral(client.OUTCOME_DELIVERED, "Well")
	complete := acts.CompleteReferral(shelter, id).CompleteReferral(end)
	completed, tag := done(complete.IfMatch(tag).Execute())
	check(completed.State == client.REFERRALSTATE_COMPLETED, "another state", completed.State)
	report("complete-referral")
	_, response, err := complete.IfMatch(tag).Execute()
	illegal := refused[client.ActionIllegalProblem](409, response, err)
	check(illegal.GetState() == "completed", "another state", illegal.GetState())
	check(len(illegal.LegalActions) == 0, "legal actions", illegal.LegalActions)
	report("refuse-illegal")
}

func main() {
	officer, lead, shelter := newCaller("OFFICER_KEY"), newCaller("LEAD_KEY"), newCaller("SHELTER_KEY")
	duty := []client.DutyContactInput{
		*client.NewDutyContactInput("Айгүл Сәрсенова", "+77010000001"),
		*client.NewDutyContactInput("Ильяс Төлеген", "+77010000002"),
	}
	code := submit(officer)
	takeLead(lead, code, duty)
	id := refer(lead, code)
	help(shelter, id, duty)

	events, ids, told := lead.follow(), map[string]bool{}, map[string]bool{}
	for _, event := range events {
		ids[event.Id] = true
		told[event.Type+" "+event.Subject] = true
	}
	check(len(events) > 2 && len(ids) == len(events), "an event twice, or too few", events)
	check(told["case.submitted cases/"+code], "no event of the case", told)
	check(told["referral.completed referrals/"+id], "no event of the referral", told)
	report("follow-feed")
}
