"""The version of this distribution, and of the contract that plugins are written against."""

VERSION = "0.1.0"
API_VERSION = "1"
