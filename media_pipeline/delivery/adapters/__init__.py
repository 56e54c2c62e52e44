"""The object store, the gRPC services, the artwork origin and Valkey, as delivery uses them."""
