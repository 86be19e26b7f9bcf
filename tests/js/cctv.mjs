// Prints every official age vector (npm cctv-age) as JSON: name -> the vector file in base64.
import * as vectors from "cctv-age";

const files = Object.entries(vectors).map(([name, bytes]) => [
  name,
  Buffer.from(bytes).toString("base64"),
]);
process.stdout.write(JSON.stringify(Object.fromEntries(files)));
