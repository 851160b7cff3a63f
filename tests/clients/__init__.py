"""Generated clients of openapi/, and a journey that each of them runs."""
