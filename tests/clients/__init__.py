"""Clients that are generated from openapi/, and a journey that each client runs."""
