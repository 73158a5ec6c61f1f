#!/bin/sh
# Superset made ready: its own tables, an administrator, the two databases and the dashboards. Running it again changes
# nothing that is so already, and brings the dashboards up to what is here.
#   CLICKHOUSE_URI   clickhousedb://user:password@host:8123/ugc    (or CLICKHOUSE_PASSWORD_FILE for the password alone)
#   HIVE_URI         hive://hive@host:10000/ugc?auth=NOSASL
#   ADMIN_PASSWORD       of admin, at the first start; without it one is made, and kept in $SUPERSET_HOME/admin_password
set -eu
here=$(cd "$(dirname "$0")" && pwd)

home=${SUPERSET_HOME:-/app/superset_home}
if [ -z "${ADMIN_PASSWORD:-}" ]; then
  [ -s "$home/admin_password" ] || (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' > "$home/admin_password")
  ADMIN_PASSWORD=$(cat "$home/admin_password")
fi

superset db upgrade
superset fab create-admin --username admin --firstname ugc --lastname admin --email admin@localhost --password "$ADMIN_PASSWORD"
superset init

# Not import-dashboards: that leaves charts and datasets as they are, once they are there.
superset import-directory --overwrite "$here/bundle"

clickhouse=${CLICKHOUSE_URI:-}
if [ -n "${CLICKHOUSE_PASSWORD_FILE:-}" ]; then
  clickhouse="clickhousedb://${CLICKHOUSE_USER:-ugc}:$(cat "$CLICKHOUSE_PASSWORD_FILE")@${CLICKHOUSE_HOST:-clickhouse:8123}/ugc"
fi
superset set-database-uri --database_name ClickHouse --uri "${clickhouse:?set CLICKHOUSE_URI}"
[ -z "${HIVE_URI:-}" ] || superset set-database-uri --database_name Hive --uri "$HIVE_URI"
