// A case from submission to help, with a client that was generated from the contract.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type Caller = Client<paths>;

function createCaller(name: string): Caller {
  const baseUrl = process.env["SAFE_CONDUCT_URL"];
  const key = process.env[name];
  if (!baseUrl || !key) throw new Error(`Set SAFE_CONDUCT_URL and ${name}.`);
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
}

// Report a step of tests/clients/steps.csv that was checked.
function report(step: string): void {
  console.log(`step ${step}`);
}

const officer = createCaller("OFFICER_KEY");
const lead = createCaller("LEAD_KEY");
const shelter = createCaller("SHELTER_KEY");

function getTag(response: Response): string {
  const found = response.headers.get("ETag");
  assert(found, "an answer without an entity tag");
  return found;
}

function makeRecipient(
  kind: Schemas["RecipientClassInput"]["kind"],
  purposes: Schemas["ConsentRecipient"]["purposes"],
): Schemas["ConsentRecipient"] {
  return {
    recipient_class: { kind, country: "KZ" },
    purposes,
    sections: ["needs", "contact"],
  };
}

function makeConsent(
  ...recipients: Schemas["ConsentRecipient"][]
): Schemas["ConsentInput"] {
  return {
    recipients,
    given_by: "person",
    language: "uz",
    form_version: "2026-1",
    obtained_on: "2026-06-01",
    expires_at: "2027-06-01T00:00:00Z",
  };
}

const newCase: Schemas["CaseInput"] = {
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
    makeConsent(makeRecipient("state", ["REFER"]), makeRecipient("non_state", ["SHELTER"])),
  ],
  risk: { level: "medium" },
  submit: true,
};

const contacts: Schemas["DutyContactInput"][] = [
  { name: "Айгүл Сәрсенова", phone: "+77010000001" },
  { name: "Ильяс Төлеген", phone: "+77010000002" },
];

// A problem names the wrong field, and does not repeat what was sent.
const wrong = await officer.POST("/v1/cases", {
  params: { header: { "Idempotency-Key": randomUUID() } },
  body: { ...newCase, summary: { ...newCase.summary, country: "Kazakhstan" } },
});
assert.equal(wrong.response.status, 422);
assert(wrong.error && "errors" in wrong.error);
assert.equal(wrong.error.errors[0]?.pointer, "#/summary/country");
assert(!JSON.stringify(wrong.error).includes("Kazakhstan"));
report("refuse-invalid");

// A case that is submitted twice with one idempotency key is created once.
const key = randomUUID();
const submit = () =>
  officer.POST("/v1/cases", {
    params: { header: { "Idempotency-Key": key } },
    body: newCase,
  });
const submitted = await submit();
assert.equal(submitted.response.status, 201);
report("submit");
const again = await submit();
assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
const code = submitted.data!.code;
assert.equal(again.data?.code, code);
report("replay");

// Poll until an event of this type arrives.
async function waitForEvent(who: Caller, type: string, subject: string): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const page = await who.GET("/v1/events", {
      params: { query: after ? { after } : {}, header: { Prefer: "wait=5" } },
    });
    assert(page.data, "a page");
    const found = page.data.items.find((e) => e.type === type && e.subject === subject);
    if (found) return;
    after = page.data.cursor;
    assert(page.data.items.length, `no event ${type}`);
  }
}
await waitForEvent(lead, "case.submitted", `cases/${code}`);
report("poll");

const read = await lead.GET("/v1/cases/{code}", { params: { path: { code } } });
const seen = getTag(read.response);
const acknowledged = await lead.POST("/v1/cases/{code}/acknowledge", {
  params: { path: { code }, header: { "If-Match": seen } },
});
assert.equal(acknowledged.data?.state, "under_review");
report("acknowledge");

// A conflict: an action on an old version is refused, and so is an action on no version.
const stale = await lead.POST("/v1/cases/{code}/accept-lead", {
  params: { path: { code }, header: { "If-Match": seen } },
  body: { contacts },
});
assert.equal(stale.response.status, 412);
report("refuse-stale");

const unseen = await lead.POST("/v1/cases/{code}/accept-lead", {
  params: { path: { code }, header: { "If-Match": "*" } },
  body: { contacts },
});
assert.equal(unseen.response.status, 428);
assert.equal(unseen.error?.type, "/problems/version-not-given");
report("refuse-unversioned");

const accepted = await lead.POST("/v1/cases/{code}/accept-lead", {
  params: { path: { code }, header: { "If-Match": getTag(acknowledged.response) } },
  body: { contacts },
});
assert.equal(accepted.response.status, 200);
report("accept-lead");

const createReferral = (section: Schemas["Section"]) =>
  lead.POST("/v1/cases/{code}/referrals", {
    params: { path: { code }, header: { "Idempotency-Key": randomUUID() } },
    body: {
      recipient: "KZ_SHELTER_KOGERSHIN",
      service: "SHELTER",
      sections: [section],
      send: true,
    },
  });

// A section without a consent is not sent, and the problem says which consent is required.
const refused = await createReferral("identity");
assert(refused.error && "unmet" in refused.error);
assert.equal(refused.error.unmet[0]?.requirement, "consent");
const { purpose, sections, recipient } = refused.error.unmet[0].consent!;
assert.deepEqual([purpose, ...sections, recipient], [
  "SHELTER",
  "identity",
  "KZ_SHELTER_KOGERSHIN",
]);
report("refuse-unmet");

// A referral is sent, accepted and completed.
const opened = await createReferral("needs");
assert.equal(opened.response.status, 201);
report("refer");
const referral_id = opened.data!.id;
await waitForEvent(shelter, "referral.sent", `referrals/${referral_id}`);

const path = { referral_id };
const sent = await shelter.GET("/v1/referrals/{referral_id}", { params: { path } });
const took = await shelter.POST("/v1/referrals/{referral_id}/acknowledge", {
  params: { path, header: { "If-Match": getTag(sent.response) } },
});
assert.equal(took.response.status, 200);
report("acknowledge-referral");
const promised = await shelter.POST("/v1/referrals/{referral_id}/accept", {
  params: { path, header: { "If-Match": getTag(took.response) } },
  body: {
    meeting: { place: "Side door", at: "2026-06-02T09:00:00+05:00", person: "Гүлнар" },
    contacts,
  },
});
assert.equal(promised.response.status, 200);
report("accept-referral");
const started = await shelter.POST("/v1/referrals/{referral_id}/start", {
  params: { path, header: { "If-Match": getTag(promised.response) } },
  body: { person_met: true },
});
assert.equal(started.response.status, 200);
report("start-referral");
const completed = await shelter.POST("/v1/referrals/{referral_id}/complete", {
  params: { path, header: { "If-Match": getTag(started.response) } },
  body: { outcome: "delivered", feedback: "Well" },
});
assert.equal(completed.data?.state, "completed");
report("complete-referral");

// A problem names the state that does not allow an action.
const over = await shelter.POST("/v1/referrals/{referral_id}/complete", {
  params: { path, header: { "If-Match": getTag(completed.response) } },
  body: { outcome: "delivered", feedback: "Well" },
});
assert(over.error && "legal_actions" in over.error);
assert.equal(over.error.state, "completed");
assert.deepEqual(over.error.legal_actions, []);
report("refuse-illegal");

// The lead follows its feed to the end, and gets each event once.
async function follow(who: Caller): Promise<Schemas["EventOut"][]> {
  const found: Schemas["EventOut"][] = [];
  let after: string | undefined;
  for (;;) {
    const query = after ? { after, limit: 2 } : { limit: 2 };
    const page = await who.GET("/v1/events", { params: { query } });
    assert(page.data, "a page");
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
assert(told.has(`referral.completed referrals/${referral_id}`));
report("follow-feed");
