-- One row a record. What decides is in the columns down to "retain_until" and in "body"; the others are copies of parts of
-- the body, for listings and for people. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE oauth_records (
    namespace    INTEGER NOT NULL, -- 1 grant, 2 client, 3 consent, 4 session, 5 fence, 6 marker, 7 keys
    id           BLOB    NOT NULL, -- 16 bytes
    version      BLOB    NOT NULL, -- 16 bytes, drawn anew for each write; every write compares them
    retain_until INTEGER NOT NULL, -- from then on the row may be purged
    created_at   INTEGER,
    expires_at   INTEGER,
    state        TEXT,
    client_id    TEXT,
    subject      TEXT,
    session      TEXT,
    body         BLOB    NOT NULL, -- one byte of format version, then MessagePack
    PRIMARY KEY (namespace, id)
) STRICT;

CREATE INDEX oauth_records_client ON oauth_records (client_id, id) WHERE client_id IS NOT NULL;
CREATE INDEX oauth_records_subject ON oauth_records (subject, id) WHERE subject IS NOT NULL;
CREATE INDEX oauth_records_session ON oauth_records (session, id) WHERE session IS NOT NULL;
CREATE INDEX oauth_records_purge ON oauth_records (retain_until);
