"""The shell around the core: the only importer of the Kafka client."""
