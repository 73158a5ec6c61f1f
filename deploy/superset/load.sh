#!/bin/sh
# Superset made ready: its own tables, an administrator, the two databases and the dashboards. Running it again changes
# nothing that is so already, and brings the dashboards up to what is here.
#   UGC_CLICKHOUSE_URI   clickhousedb://user:password@host:8123/ugc    (or UGC_CLICKHOUSE_PASSWORD_FILE for the password alone)
#   UGC_HIVE_URI         hive://hive@host:10000/ugc?auth=NOSASL
#   ADMIN_PASSWORD       of admin, at the first start; without it one is made, and kept in $SUPERSET_HOME/admin_password
set -eu
here=$(cd "$(dirname "$0")" && pwd)
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

home=${SUPERSET_HOME:-/app/superset_home}
if [ -z "${ADMIN_PASSWORD:-}" ]; then
  [ -s "$home/admin_password" ] || (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' > "$home/admin_password")
  ADMIN_PASSWORD=$(cat "$home/admin_password")
fi

superset db upgrade
superset fab create-admin --username admin --firstname ugc --lastname admin --email admin@localhost --password "$ADMIN_PASSWORD"
superset init

# The command takes a zip whose files lie in one folder.
mkdir "$made/ugc"
cp -R "$here/bundle/." "$made/ugc/"
(cd "$made" && python3 -m zipfile -c dashboards.zip ugc)
superset import-dashboards --path "$made/dashboards.zip" --username admin

clickhouse=${UGC_CLICKHOUSE_URI:-}
if [ -n "${UGC_CLICKHOUSE_PASSWORD_FILE:-}" ]; then
  clickhouse="clickhousedb://${UGC_CLICKHOUSE_USER:-ugc}:$(cat "$UGC_CLICKHOUSE_PASSWORD_FILE")@${UGC_CLICKHOUSE_HOST:-clickhouse:8123}/ugc"
fi
[ -z "$clickhouse" ] || superset set-database-uri --database_name ClickHouse --uri "$clickhouse"
[ -z "${UGC_HIVE_URI:-}" ] || superset set-database-uri --database_name Hive --uri "$UGC_HIVE_URI"
