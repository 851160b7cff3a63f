// A receiver of webhooks with the npm library, as docs/integrate.md describes it.
// Standard input has one message that the service signed, and its secret.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
import type { webhooks } from "./schema.js";

type Message =
  webhooks["feed.event"]["post"]["requestBody"]["content"]["application/json"];
type Sent = { secret: string; headers: Record<string, string>; body: string };

const sent: Sent = JSON.parse(readFileSync(0, "utf-8"));

function verify(secret: string, headers: Record<string, string>, body: string): Message {
  return new Webhook(secret).verify(body, headers) as Message;
}

function mustRefuse(what: string, secret: string, headers: Record<string, string>, body: string) {
  try {
    verify(secret, headers, body);
  } catch {
    return;
  }
  throw new Error(`It accepted ${what}.`);
}

const { secret, headers, body } = sent;
const message = verify(secret, headers, body);
if (message.type !== "feed.event" || message.data.event !== null || !message.data.cursor) {
  throw new Error(`It received another message: ${message.type}`);
}
const late = { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 301) };
mustRefuse("another body", secret, headers, body.replace("feed.event", "feed.evenT"));
mustRefuse("an old message", secret, late, body);
mustRefuse("another secret", `whsec_${Buffer.alloc(32, 7).toString("base64")}`, headers, body);
console.log("a webhook verified, and three forgeries refused");
