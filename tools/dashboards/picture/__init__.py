"""Draws dashboards for the documentation: a real run, a real Prometheus, and Grafana's own components.

`python -m tools.dashboards.picture OVERVIEW.png` takes four minutes; it needs prometheus, npm and Chromium.
"""
