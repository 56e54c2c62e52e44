// Plans one query COUNT times; prints milliseconds, how many fetches, and how many wait for each other.
// usage: node plan.mjs apollo|hive SUPERGRAPH QUERY COUNT
import { readFileSync } from "node:fs";

const [planner, supergraphFile, queryFile, count] = process.argv.slice(2);
const sdl = readFileSync(supergraphFile, "utf8");
const query = readFileSync(queryFile, "utf8");

async function load() {
  if (planner === "hive") {
    const { QueryPlanner } = await import("@graphql-hive/router-query-planner");
    const hive = new QueryPlanner(sdl);
    return () => hive.plan(query, null, new Set(), 0);
  }
  const [{ Supergraph, operationFromDocument }, { QueryPlanner }, { parse }] = await Promise.all([
    import("@apollo/federation-internals"),
    import("@apollo/query-planner"),
    import("graphql"),
  ]);
  const supergraph = Supergraph.build(sdl);
  const apollo = new QueryPlanner(supergraph);
  return () => apollo.buildQueryPlan(operationFromDocument(supergraph.apiSchema(), parse(query)));
}

const parts = (node) =>
  [node.node, ...(node.nodes ?? []), node.ifClause, node.elseClause, node.primary?.node].filter(Boolean);
const isFetch = (node) => node.kind === "Fetch" || node.kind === "BatchFetch";
const fetches = (node) => (isFetch(node) ? 1 : parts(node).reduce((sum, each) => sum + fetches(each), 0));
const inARow = (node) => {
  if (isFetch(node)) return 1;
  const below = parts(node).map(inARow);
  return node.kind === "Sequence" ? below.reduce((sum, each) => sum + each, 0) : Math.max(0, ...below);
};

const beganLoading = performance.now();
const plan = await load();
const load_ms = performance.now() - beganLoading;
const plan_ms = [];
let made;
for (let round = 0; round < Number(count); round++) {
  const began = performance.now();
  made = plan();
  plan_ms.push(performance.now() - began);
}
const size = { fetches: fetches(made.node), in_a_row: inARow(made.node) };
console.log(JSON.stringify({ load_ms, plan_ms, ...size, verdict: "-" }));
