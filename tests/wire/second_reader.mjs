// A second reader of the wire documents, in a language that shares nothing with ours.
// Reads tests/vectors/wire (first argument) and prints what it found, as JSON, for the test to judge.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const read = (name) => readFileSync(join(folder, name));
const sha256 = (...parts) => {
  const state = createHash("sha256");
  parts.forEach((part) => state.update(part));
  return state.digest();
};
const ordered = (value) => {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, ordered(value[key])]));
};
const canonical = (value) => Buffer.from(JSON.stringify(ordered(value)));
const leaf = (data) => sha256(Buffer.from([0]), data);
const node = (left, right) => sha256(Buffer.from([1]), left, right);
const tagged = (...parts) => {
  const framed = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return sha256(...framed).toString("hex");
};
const statement = (name) => JSON.parse(read(name).toString().split("\n")[1]);

const found = { respelled: {}, sha256: {} };
for (const name of Object.keys(JSON.parse(read("index.json")).files)) {
  const raw = read(name);
  const json = name.endsWith(".txt") ? raw.toString().split("\n")[1] : raw.toString();
  found.respelled[name] = canonical(JSON.parse(json)).equals(Buffer.from(json));
  found.sha256[name] = sha256(raw).toString("hex");
}

const [first, second] = read("items.manifests").toString().split("\n").filter((line) => line);
found.items_root = node(leaf(Buffer.from(first)), leaf(Buffer.from(second))).toString("hex");

const submission = JSON.parse(read("submission.json"));
found.submission_id = tagged(
  Buffer.from("amana/submission-id/v1"),
  Buffer.from(submission.client_nonce, "base64url"),
  Buffer.from(submission.account, "hex"),
  Buffer.from(submission.card, "hex"),
);

const event = statement("receipt-r1.txt").event;
found.event_leaf = leaf(canonical(event)).toString("hex");
found.event_id = tagged(
  ...["amana/event-id/v1", event.type, String(event.occurrence)].map((part) => Buffer.from(part)),
  ...[event.thing, ...event.others].flatMap((each) => [Buffer.from(each.kind), Buffer.from(each.id)]),
);

const decided = statement("receipt-r2.txt");
found.decision = sha256(canonical(decided.decision)).toString("hex");

// The Ed25519 line of the first directory key under the key card, with the key from the kit.
const kit = JSON.parse(read("enrolment-kit.json"));
const typed = Buffer.from(kit.directory[0].ed25519.split("+").slice(2).join("+"), "base64");
const prefix = Buffer.from("302a300506032b6570032100", "hex"); // SubjectPublicKeyInfo, RFC 8410
const key = createPublicKey({ key: Buffer.concat([prefix, typed.subarray(1)]), format: "der", type: "spki" });
const card = read("key-card.note").toString();
const divider = card.lastIndexOf("\n\n");
const line = card.slice(divider + 2).split("\n")[0];
const signature = Buffer.from(line.split(" ")[2], "base64").subarray(4);
found.card_signed = verify(null, Buffer.from(card.slice(0, divider + 1)), key, signature);
found.card_id = sha256(Buffer.from(card.slice(0, divider + 1))).toString("hex");

process.stdout.write(JSON.stringify(found));
