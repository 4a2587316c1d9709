# The daemon in a container: built with the Swift image, run on plain Debian.
#
#     docker build -t sheetsync .
#     docker run -e DATABASE_URL sheetsync sheetsync migrate
#     docker run -e DATABASE_URL -e GOOGLE_SHEETS_CREDENTIALS sheetsync
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
    pkg-config libcurl4-openssl-dev libssl-dev libpq-dev zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Package.* ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product sheetsync --static-swift-stdlib \
    && install -s "$(swift build -c release --static-swift-stdlib --show-bin-path)/sheetsync" /usr/bin/sheetsync

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
    ca-certificates libcurl4 libpq5 libssl3 libstdc++6 tzdata zlib1g && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home sheetsync
COPY --from=build /usr/bin/sheetsync /usr/bin/sheetsync
USER sheetsync
# Other containers ask here whether it is ready. A platform that runs several daemons in one network namespace changes it.
ENV SHEETSYNC_HTTP_ADDRESS=0.0.0.0:8090 LOG_FORMAT=json SWIFT_BACKTRACE=enable=no
STOPSIGNAL SIGTERM
# No entry point: platforms differ in whether a command of theirs goes behind it or takes its place.
CMD ["/usr/bin/sheetsync", "run"]
