// Hive Gateway with its defaults for production, forwarding the client's Authorization header. RUST_PLANNER=1 chooses
// the runtime with the Rust planner: by import, since the command line's option falls back silently when it is missing.
const runtime = process.env.RUST_PLANNER ? await import("@graphql-hive/router-runtime") : {};

export const gatewayConfig = {
  host: "127.0.0.1",
  fork: 1,
  logging: false,
  healthCheckEndpoint: "/health",
  ...(runtime.unifiedGraphHandler && { unifiedGraphHandler: runtime.unifiedGraphHandler }),
  ...(process.env.DEDUPLICATE && { inboundInflightRequestDeduplication: true }),
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get("authorization") ?? "" }),
  },
};
