ARG BASE=busybox:musl
FROM ${BASE}
COPY index.html /www/
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
