// A case from submission to help, with a client of hey-api that checks responses with zod.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createClient, type Client } from "./client/client/index.js";
import {
  acceptLead,
  acceptReferral,
  acknowledgeCase,
  acknowledgeReferral,
  completeReferral,
  getCase,
  getReferral,
  listEvents,
  createReferral,
  startReferral,
  createCase,
} from "./client/sdk.gen.js";
import type {
  CaseInput,
  ConsentInput,
  ConsentRecipient,
  DutyContactInput,
  EventOut,
  OfficeKind,
  Purpose,
  Section,
} from "./client/types.gen.js";
import {
  zActionIllegalProblem,
  zCaseInput,
  zNeedsUnmetProblem,
  zProblemDetail,
  zRequestInvalidProblem,
} from "./client/zod.gen.js";

function createCaller(name: string): Client {
  const baseUrl = process.env["SAFE_CONDUCT_URL"];
  const auth = process.env[name];
  if (!baseUrl || !auth) throw new Error(`Set SAFE_CONDUCT_URL and ${name}.`);
  return createClient({ baseUrl, auth });
}

const officer = createCaller("OFFICER_KEY");
const lead = createCaller("LEAD_KEY");
const shelter = createCaller("SHELTER_KEY");

// Report a step of tests/clients/steps.csv that was checked.
function report(step: string): void {
  console.log(`step ${step}`);
}

// Return the entity tag of a successful answer, or fail with the problem.
function getTag(answer: { response?: Response; error?: unknown }): string {
  const found = answer.response?.headers.get("ETag");
  assert(found, `an answer without an entity tag: ${JSON.stringify(answer.error)}`);
  return found;
}

function makeRecipient(kind: OfficeKind, purpose: Purpose): ConsentRecipient {
  return {
    recipient_class: { kind, country: "KZ" },
    purposes: [purpose],
    sections: ["needs", "contact"],
  };
}

function makeConsent(...recipients: ConsentRecipient[]): ConsentInput {
  return {
    recipients,
    given_by: "person",
    language: "uz",
    form_version: "2026-1",
    obtained_on: "2026-06-01",
    expires_at: "2027-06-01T00:00:00Z",
  };
}

const newCase: CaseInput = {
  summary: {
    country: "KZ",
    age_class: "adult",
    language: "uz",
    priority: "urgent",
    services: ["SHELTER"],
    urgent_needs: [],
    safe_contact: "yes",
  },
  sections: [
    { section: "needs", summary: "A safe bed tonight" },
    { section: "contact", alias: "Oygul", safe_channel: "Signal, never calls" },
    { section: "identity", names: ["Ойгул Ғаниева", "Oygʻul Gʻaniyeva", "أويغول"] },
  ],
  safeguards: { country_of_origin: "UZ" },
  consents: [
    makeConsent(makeRecipient("state", "REFER"), makeRecipient("non_state", "SHELTER")),
  ],
  risk: { level: "medium" },
  submit: true,
};
const contacts: DutyContactInput[] = [
  { name: "Айгүл Сәрсенова", phone: "+77010000001" },
  { name: "Ильяс Төлеген", phone: "+77010000002" },
];

// zod finds a wrong field before the request, and the service names it in its problem.
const wrong = { ...newCase, summary: { ...newCase.summary, country: "Kazakhstan" } };
assert.deepEqual(zCaseInput.safeParse(wrong).error?.issues[0]?.path, ["summary", "country"]);
zCaseInput.parse(newCase);
const refused = await createCase({
  client: officer,
  headers: { "Idempotency-Key": randomUUID() },
  body: wrong,
});
assert.equal(refused.response?.status, 422);
const invalid = zRequestInvalidProblem.parse(refused.error);
assert.equal(invalid.errors[0]?.pointer, "#/summary/country");
assert(!JSON.stringify(invalid).includes("Kazakhstan"));
report("refuse-invalid");

// A case that is submitted twice with one idempotency key is created once.
const key = randomUUID();
const submit = () =>
  createCase({ client: officer, headers: { "Idempotency-Key": key }, body: newCase });
const submitted = await submit();
assert(submitted.data, JSON.stringify(submitted.error));
const { code } = submitted.data;
report("submit");
const again = await submit();
assert.equal(again.response?.headers.get("Idempotent-Replayed"), "true");
assert.equal(again.data?.code, code);
report("replay");

// Poll until an event of this type arrives.
async function waitForEvent(client: Client, type: string, subject: string): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const query = after ? { after } : {};
    const page = await listEvents({ client, query, headers: { Prefer: "wait=5" } });
    assert(page.data, JSON.stringify(page.error));
    if (page.data.items.some((e) => e.type === type && e.subject === subject)) return;
    after = page.data.cursor;
    assert(page.data.items.length, `no event ${type}`);
  }
}
await waitForEvent(lead, "case.submitted", `cases/${code}`);
report("poll");

const path = { code };
const seen = getTag(await getCase({ client: lead, path }));
const acknowledged = await acknowledgeCase({ client: lead, path, headers: { "If-Match": seen } });
assert.equal(acknowledged.data?.state, "under_review");
report("acknowledge");

// A conflict: an action on an old version is refused, and so is an action on no version.
const accept = (version: string) =>
  acceptLead({ client: lead, path, headers: { "If-Match": version }, body: { contacts } });
const stale = await accept(seen);
assert.equal(stale.response?.status, 412);
assert.equal(zProblemDetail.parse(stale.error).type, "/problems/version-stale");
report("refuse-stale");
const unseen = await accept("*");
assert.equal(unseen.response?.status, 428);
assert.equal(zProblemDetail.parse(unseen.error).type, "/problems/version-not-given");
report("refuse-unversioned");
const led = await accept(getTag(acknowledged));
assert(led.data, JSON.stringify(led.error));
report("accept-lead");

const refer = (section: Section) =>
  createReferral({
    client: lead,
    path,
    headers: { "Idempotency-Key": randomUUID() },
    body: {
      recipient: "KZ_SHELTER_KOGERSHIN",
      service: "SHELTER",
      sections: [section],
      send: true,
    },
  });

// A section without a consent is not sent, and the problem says which consent is required.
const unmet = await refer("identity");
assert.equal(unmet.response?.status, 409);
assert(unmet.error && "unmet" in unmet.error);
const [lack] = unmet.error.unmet;
assert.equal(lack?.requirement, "consent");
assert.equal(lack.consent?.purpose, "SHELTER");
assert.deepEqual(lack.consent.sections, ["identity"]);
assert.equal(lack.consent.recipient, "KZ_SHELTER_KOGERSHIN");
zNeedsUnmetProblem.parse(unmet.error);
report("refuse-unmet");

// A referral is sent, accepted and completed.
const opened = await refer("needs");
assert(opened.data, JSON.stringify(opened.error));
const referral = { client: shelter, path: { referral_id: opened.data.id } };
report("refer");
await waitForEvent(shelter, "referral.sent", `referrals/${opened.data.id}`);

let tag = getTag(await getReferral(referral));
tag = getTag(await acknowledgeReferral({ ...referral, headers: { "If-Match": tag } }));
report("acknowledge-referral");
const meeting = { place: "Side door", at: "2026-06-02T09:00:00+05:00", person: "Гүлнар" };
const promise = { ...referral, headers: { "If-Match": tag }, body: { meeting, contacts } };
tag = getTag(await acceptReferral(promise));
report("accept-referral");
const met = { ...referral, headers: { "If-Match": tag }, body: { person_met: true } };
tag = getTag(await startReferral(met));
report("start-referral");
const complete = (version: string) =>
  completeReferral({
    ...referral,
    headers: { "If-Match": version },
    body: { outcome: "delivered", feedback: "Well" },
  });
const completed = await complete(tag);
assert.equal(completed.data?.state, "completed");
report("complete-referral");

// A problem names the state that does not allow an action.
const over = await complete(getTag(completed));
assert.equal(over.response?.status, 409);
const illegal = zActionIllegalProblem.parse(over.error);
assert.equal(illegal.state, "completed");
assert.deepEqual(illegal.legal_actions, []);
report("refuse-illegal");

// The lead follows its feed to the end, and gets each event once.
async function follow(client: Client): Promise<EventOut[]> {
  const found: EventOut[] = [];
  let after: string | undefined;
  for (;;) {
    const query = after ? { after, limit: 2 } : { limit: 2 };
    const page = await listEvents({ client, query });
    assert(page.data, JSON.stringify(page.error));
    found.push(...page.data.items);
    after = page.data.cursor;
    if (!page.data.more) return found;
  }
}
const events = await follow(lead);
assert(events.length > 2);
assert.equal(new Set(events.map((e) => e.id)).size, events.length);
const told = new Set(events.map((e) => `${e.type} ${e.subject}`));
assert(told.has(`case.submitted cases/${code}`));
assert(told.has(`referral.completed referrals/${opened.data.id}`));
report("follow-feed");
