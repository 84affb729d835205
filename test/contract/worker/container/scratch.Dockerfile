# One static program, no shell, no users, nothing else. node:22-alpine's busybox is not static, so the default is another.
ARG BASE=busybox:musl
FROM ${BASE} AS base
FROM scratch
COPY --from=base /bin/busybox /busybox
USER 1000:1001
CMD ["/busybox", "sleep", "100000"]
