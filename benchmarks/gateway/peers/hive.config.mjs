// Hive Gateway with its defaults for production, forwarding the client's Authorization header.
export const gatewayConfig = {
  host: "127.0.0.1",
  fork: 1,
  logging: false,
  healthCheckEndpoint: "/health",
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get("authorization") ?? "" }),
  },
};
