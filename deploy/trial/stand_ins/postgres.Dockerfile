# In place of postgres from a registry, where none can be reached: Debian's PostgreSQL, made and started by the variables
# that docker-compose sets for that image.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends postgresql \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ \
 && install -d -m 1777 -o postgres -g postgres /var/lib/postgresql/data \
 && install -d -m 3777 -o postgres -g postgres /var/run/postgresql
COPY postgres-entrypoint /usr/local/bin/
ENV PGDATA=/var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
CMD ["postgres"]
