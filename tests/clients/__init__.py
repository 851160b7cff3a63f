"""Clients that are generated from openapi/, and a journey that each of them plays."""
