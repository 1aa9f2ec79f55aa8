-- Schema version 11 of the Shorewatch store: accounts that an identity provider (OpenID Connect) lets in. The subject is what the
-- provider calls the person for good; it is empty until they come for the first time.
CREATE TABLE account_links (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    account TEXT NOT NULL UNIQUE REFERENCES accounts (account),
    issuer TEXT NOT NULL,
    subject TEXT,
    linked_at DATETIME NOT NULL,
    UNIQUE (issuer, subject)
);
