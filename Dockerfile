# Build: the same steps as `npm start`.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
COPY .ci/patches .ci/patches
RUN npx --yes bun@1.4.5 install --frozen-lockfile
COPY . .
RUN npx --yes bun@1.4.5 run .ci/build.ts

# Run: the embedded ClickHouse engine needs glibc, so no Alpine.
FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ugc ugc
COPY --from=build /src/dist/ugc /opt/ugc/ugc
COPY --from=build /src/dist/lib /opt/ugc/lib
USER ugc
WORKDIR /var/lib/ugc
VOLUME /var/lib/ugc
# Others can reach a container, so who may send has to be said: docker run -e UGC_AUTH=none …
ENV UGC_HOST=0.0.0.0 UGC_DATA_DIR=/var/lib/ugc
EXPOSE 8080 8123
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${UGC_PORT:-8080} && printf 'GET /healthz/live HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q ' 200 ' <&3"]
ENTRYPOINT ["/opt/ugc/ugc"]
