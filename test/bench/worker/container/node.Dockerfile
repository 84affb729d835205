ARG BASE=node:22-alpine
FROM ${BASE}
COPY server.mjs /
CMD ["node", "/server.mjs", "8080"]
