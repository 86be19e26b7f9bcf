// A stock age reader and writer for the tests, made of typage alone (npm age-encryption).
//   node age.mjs encrypt AGE_RECIPIENT      node age.mjs decrypt AGE-SECRET-KEY-...
//   node age.mjs encrypt-passphrase PHRASE  node age.mjs decrypt-passphrase PHRASE
//   node age.mjs keygen                     node age.mjs recipient AGE-SECRET-KEY-PQ-...
//   node age.mjs armor                      node age.mjs dearmor
// Standard input to standard output, in a stream. Exit code 1 when age refuses.
import { Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as age from "age-encryption";

const [verb, key] = process.argv.slice(2);

// `head -c` hangs up when it has enough, as it does on any program: that is no failure.
process.stdout.on("error", (error) => process.exit(error.code === "EPIPE" ? 0 : 1));

function writer(setUp) {
  const encrypter = new age.Encrypter();
  setUp(encrypter);
  return encrypter;
}

function reader(setUp) {
  const decrypter = new age.Decrypter();
  setUp(decrypter);
  return decrypter;
}

async function pipe(transform) {
  const output = await transform(Readable.toWeb(process.stdin));
  await output.pipeTo(Writable.toWeb(process.stdout));
}

const verbs = {
  encrypt: () => pipe((input) => writer((e) => e.addRecipient(key)).encrypt(input)),
  decrypt: () => pipe((input) => reader((d) => d.addIdentity(key)).decrypt(input)),
  "encrypt-passphrase": () =>
    pipe((input) =>
      writer((e) => {
        e.setPassphrase(key);
        e.setScryptWorkFactor(10);
      }).encrypt(input),
    ),
  "decrypt-passphrase": () => pipe((input) => reader((d) => d.addPassphrase(key)).decrypt(input)),
  keygen: async () => process.stdout.write(await age.generateHybridIdentity()),
  recipient: async () => process.stdout.write(await age.identityToRecipient(key)),
  armor: async () => process.stdout.write(age.armor.encode(new Uint8Array(await buffer(process.stdin)))),
  dearmor: async () => process.stdout.write(age.armor.decode((await buffer(process.stdin)).toString("latin1"))),
};

try {
  await verbs[verb]();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
