"""Regional and corporate-ownership enforcement over Kafka."""
