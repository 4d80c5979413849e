"""The AN1498 pack: Sigma correlations for macOS and Zeek, compiled for Splunk and Elastic and proved by replay."""

__version__ = "0.1.0"
