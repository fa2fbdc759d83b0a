-- One row a record. What decides is in the columns down to "retain_until" and in "body"; the others are copies of parts of
-- the body, for listings and for people. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE oauth_records (
    namespace    smallint NOT NULL, -- 1 grant, 2 client, 3 consent, 4 session, 5 fence, 6 marker, 7 keys
    purge_minute integer  NOT NULL, -- the minute of retain_until, for the index: many rows share one entry
    id           uuid     NOT NULL,
    version      uuid     NOT NULL, -- drawn anew for each write; every write compares it
    retain_until bigint   NOT NULL, -- from then on the row may be purged
    created_at   bigint,
    expires_at   bigint,
    state        text,
    client_id    text,
    subject      text,
    session      text,
    body         bytea    NOT NULL, -- one byte of format version, then MessagePack
    PRIMARY KEY (namespace, id)
) WITH (fillfactor = 90); -- room for the next version of a row in its own page: such an update touches no index

-- Six digits of a hash instead of the text, which is compared in the row: an entry has half the size.
CREATE INDEX oauth_records_client ON oauth_records (left(md5(client_id), 6), id) WHERE client_id IS NOT NULL;
CREATE INDEX oauth_records_subject ON oauth_records (left(md5(subject), 6), id) WHERE subject IS NOT NULL;
CREATE INDEX oauth_records_session ON oauth_records (left(md5(session), 6), id) WHERE session IS NOT NULL;
CREATE INDEX oauth_records_purge ON oauth_records (purge_minute);
