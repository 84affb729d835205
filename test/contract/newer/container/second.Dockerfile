ARG BASE=node:22-alpine
FROM ${BASE}
ENV WHICH=second
CMD ["node", "-e", "require('http').createServer((q, r) => r.end(process.env.WHICH)).listen(8080)"]
