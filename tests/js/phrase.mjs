// A second reader of return phrases, made from docs/format/05-return-phrase.md alone, on npm
// @noble/hashes: no code of ours. Standard input: {"lists": {"ar": [..], "en": [..]}, "cases": [{
// "secret": hex, "directory_root": hex}]}. Standard output: what each case shows and opens.
import { argon2id } from "@noble/hashes/argon2.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { text } from "node:stream/consumers";

const { lists, cases } = JSON.parse(await text(process.stdin));

function indicesOf(secret) {
  const check = sha256(concatBytes(utf8ToBytes("amana/return-phrase-check/v1\n"), secret))[0];
  const bits = [...secret, check].map((byte) => byte.toString(2).padStart(8, "0")).join("").slice(4);
  return Array.from({ length: 10 }, (_, n) => parseInt(bits.slice(10 * n, 10 * n + 10), 2));
}

// HKDF-Expand of RFC 5869 for no more than one block: T(1) = HMAC(key, info || 0x01).
function expand(root, purpose, length) {
  const info = utf8ToBytes(`amana/return-phrase/${purpose}/v1\x01`);
  return bytesToHex(hmac(sha256, root, info).slice(0, length));
}

function opened(secret, directoryRoot) {
  const salted = concatBytes(utf8ToBytes("amana/return-phrase/v1\n"), directoryRoot);
  const salt = sha256(salted).slice(0, 16);
  const root = argon2id(secret, salt, { m: 19456, t: 2, p: 1, dkLen: 32 });
  return {
    lookup_id: expand(root, "lookup", 16),
    reply_seed: expand(root, "reply", 32),
    answer_ed25519_seed: expand(root, "answer-ed25519", 32),
    answer_mldsa_seed: expand(root, "answer-mldsa", 32),
  };
}

const results = cases.map((one) => {
  const secret = hexToBytes(one.secret);
  const indices = indicesOf(secret);
  return {
    ...one,
    indices,
    ar: indices.map((index) => lists.ar[index]),
    en: indices.map((index) => lists.en[index]),
    groups: indices.map((index) => String(index).padStart(4, "0")),
    opens: opened(secret, hexToBytes(one.directory_root)),
  };
});
process.stdout.write(JSON.stringify(results));
