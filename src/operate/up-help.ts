// What `ugc help up` prints.

export const upHelp = `ugc up [--role=ingest,etl,…] [settings]

Runs each role as a process of its own on this machine and keeps them running: one that ends is started again, after a second
at first and half a minute at last. So statistics and likes, or taking events and moving them, die apart. All of them write to
the one output. Without --role those are run that the settings mean, as one process with --role=all would.

Ports: the first of ingest, content, etl, archive that is run has UGC_PORT, the others the next ones, in that order; so it is with
UGC_ADMIN_PORT. SIGTERM stops ingest and content first, then etl and archive, each as it stops alone; a second signal kills.
SIGHUP goes to all. When ugc up itself is killed with -9 the roles are told to stop by the kernel (Linux), all at once.

Exit code 2 when a role says that the settings are wrong, 1 when one did not end in order.

  ugc up --kafka-brokers=kafka:9092 --clickhouse-url=http://clickhouse:8123
  ugc up --role=ingest,etl --port=8080`;
