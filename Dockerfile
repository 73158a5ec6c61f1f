# Build: the same steps as `npm start`.
FROM node:22.23.2-bookworm-slim AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
COPY .ci/bun .ci/bun
COPY .ci/patches .ci/patches
RUN .ci/bun install --frozen-lockfile
COPY . .
# For --version; .git says it where the context is a clone (.dockerignore lets that much of it in).
ARG SOURCE_COMMIT
RUN .ci/bun run .ci/build.ts

# Run: the embedded ClickHouse engine needs glibc, so no Alpine.
FROM debian:bookworm-20260824-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ugc ugc
COPY --from=build /src/dist/ugc /opt/ugc/ugc
COPY --from=build /src/dist/lib /opt/ugc/lib
USER ugc
WORKDIR /var/lib/ugc
VOLUME /var/lib/ugc
# Run it with --init (compose.yaml does): Linux ignores a process 1 that kills itself, which ugc does at a bug.
# Others can reach a container, so who may send has to be said: docker run --init -e UGC_AUTH=none …
ENV UGC_HOST=0.0.0.0 UGC_DATA_DIR=/var/lib/ugc
EXPOSE 8080 8123
STOPSIGNAL SIGTERM
# Over HTTPS, which bash does not speak, a connection that is taken has to do: set UGC_ADMIN_PORT for an answer.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["bash", "-c", "port=${UGC_ADMIN_PORT:--1}; tls=${UGC_ADMIN_TLS:-false}; [ $port -gt 0 ] || { port=${UGC_PORT:-8080}; tls=${UGC_TLS_CERT:+true}; }; exec 3<>/dev/tcp/127.0.0.1/$port && { [ \"$tls\" = true ] || { printf 'GET /healthz/live HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]; }; }"]
ENTRYPOINT ["/opt/ugc/ugc"]
