// Plans one query COUNT times; prints milliseconds and the number of fetches.
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

const fetches = (node) =>
  node === null || typeof node !== "object"
    ? 0
    : (node.kind === "Fetch" || node.kind === "BatchFetch" ? 1 : 0) +
      [node.node, ...(node.nodes ?? []), node.ifClause, node.elseClause, node.if, node.else].reduce(
        (sum, each) => sum + fetches(each ?? null), 0);

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
console.log(JSON.stringify({ load_ms, plan_ms, fetches: fetches(made.node ?? null), verdict: "-" }));
