# The program without a PostgreSQL server: it needs DATABASE_URL. `docker build -t domainflow .`
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin domainflow

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/domainflow domainflow
COPY --from=build /src/target/release/domainflow /usr/local/bin/domainflow
USER domainflow
# Signed checkpoints and their key: the one thing that is kept outside the database.
VOLUME /var/lib/domainflow
ENV DOMAINFLOW_DATA_DIR=/var/lib/domainflow DOMAINFLOW_LISTEN=0.0.0.0:8090 DOMAINFLOW_LOG_FORMAT=json
EXPOSE 8090
# It ends within ten seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["domainflow"]
CMD ["serve"]
