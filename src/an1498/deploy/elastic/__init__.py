"""Kibana's and Elasticsearch's management APIs."""

from an1498.deploy.elastic.siem import Elastic
from an1498.deploy.elastic.wanted import wanted_objects

__all__ = ["Elastic", "wanted_objects"]
