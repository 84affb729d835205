ARG BASE=node:22-alpine
FROM ${BASE}
WORKDIR /srv
COPY *.mjs ./
ENTRYPOINT ["node", "/srv/probe.mjs", "--from-entrypoint"]
CMD ["--from-cmd"]
