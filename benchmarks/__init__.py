"""Benchmarks on a real Kafka; they print figures and write JSON, and assert nothing."""
