#!/bin/bash
# Elasticsearch and Kibana made ready for the logs of ugc: how long they are kept, of what type every field is, and the
# dashboard. Running it again changes nothing that is so already, and brings the rest up to what is here.
#   ELASTICSEARCH_URL  http://elasticsearch:9200
#   KIBANA_URL         http://localhost:5601      (empty: no dashboard)
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# Both may still be starting; what they refuse for good is said by the last try.
ask() { curl -sS --fail-with-body --retry 60 --retry-delay 2 --retry-all-errors -o /dev/null "$@"; }
put() { ask -X PUT -H 'content-type: application/json' --data-binary "@$here/$2" "$ELASTICSEARCH_URL/$1"; }

put _ilm/policy/ugc-logs logs-lifecycle.json
put _ilm/policy/ugc-audit audit-lifecycle.json
put _component_template/ugc-fields fields.json
put _index_template/ugc-logs logs.json
put _index_template/ugc-audit audit.json
[ -z "${KIBANA_URL:-}" ] ||
  ask -X POST -H 'kbn-xsrf: ugc' -F "file=@$here/dashboard.ndjson" "$KIBANA_URL/api/saved_objects/_import?overwrite=true"
