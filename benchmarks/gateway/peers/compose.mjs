// Composes a JSON list of {name, url, sdl}; prints seconds and the size of the supergraph.
// usage: node compose.mjs apollo|guild SUBGRAPHS.json
import { readFileSync } from "node:fs";
import { parse } from "graphql";

const [composer, file] = process.argv.slice(2);
const sources = JSON.parse(readFileSync(file, "utf8"));
const { composeServices } = await import(
  composer === "apollo" ? "@apollo/composition" : "@theguild/federation-composition"
);
const began = performance.now();
const result = composeServices(sources.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })));
const compose_s = (performance.now() - began) / 1000;
if (!result.supergraphSdl) throw new Error(`does not compose: ${result.errors?.map(String).slice(0, 5).join("\n")}`);
console.log(JSON.stringify({ compose_s, supergraph_bytes: result.supergraphSdl.length }));
