-- Wrong passwords are counted for each account and address that they come from, and for the account from everywhere, whoever's
-- account it is and whether it is anybody's. An address that goes on is locked out for longer each time.
ALTER TABLE failed_log_ins RENAME COLUMN address_hash TO counted_hash;   -- SHA-256 of the account, or of account and address
ALTER TABLE failed_log_ins ADD COLUMN lock_outs integer NOT NULL DEFAULT 0;
