"""The Grafana dashboards, as code: `python -m tools.dashboards` writes them into `deploy/grafana/dashboards/`."""
