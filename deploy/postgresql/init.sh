#!/bin/sh
# Run by the database's image when its volume is new: the roles, with passwords from secrets.
set -eu
SAFE_CONDUCT_MIGRATOR_PASSWORD=$(cat /run/secrets/migrator_password)
SAFE_CONDUCT_SERVICE_PASSWORD=$(cat /run/secrets/service_password)
export SAFE_CONDUCT_MIGRATOR_PASSWORD SAFE_CONDUCT_SERVICE_PASSWORD
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /deploy/roles.sql
