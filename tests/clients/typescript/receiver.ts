// A receiver of webhooks, as docs/integrate.md describes it: by the library of npm.
// What it is given on standard input was signed by the service: one message, and its secret.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
import type { webhooks } from "./schema.js";

type Message =
  webhooks["feed.event"]["post"]["requestBody"]["content"]["application/json"];
type Sent = { secret: string; headers: Record<string, string>; body: string };

const sent: Sent = JSON.parse(readFileSync(0, "utf-8"));

function hear(secret: string, headers: Record<string, string>, body: string): Message {
  return new Webhook(secret).verify(body, headers) as Message;
}

function mustRefuse(what: string, secret: string, headers: Record<string, string>, body: string) {
  try {
    hear(secret, headers, body);
  } catch {
    return;
  }
  throw new Error(`It believed ${what}.`);
}

const { secret, headers, body } = sent;
const message = hear(secret, headers, body);
if (message.type !== "feed.event" || message.data.event !== null || !message.data.next) {
  throw new Error(`It heard something else: ${message.type}`);
}
const late = { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 301) };
mustRefuse("another body", secret, headers, body.replace("feed.event", "feed.evenT"));
mustRefuse("an old message", secret, late, body);
mustRefuse("another secret", `whsec_${Buffer.alloc(32, 7).toString("base64")}`, headers, body);
console.log("a webhook verified, and three forgeries refused");
