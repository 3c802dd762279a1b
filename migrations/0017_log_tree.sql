-- The Merkle tree over the log (RFC 9162): leaf n is the event at position n + 1. It says whether the log is what it was,
-- as long as somebody keeps a signed root of it somewhere else.
--
-- The tree is grown after the sequencer, by one session at a time, in whole commits; a size and the tiles up to it are
-- always of one transaction. What a log held before this step is taken in by the first one that grows it.

CREATE TABLE log_tree (
    is_whole boolean PRIMARY KEY DEFAULT true CHECK (is_whole),
    -- How many leaves it has, which is the last position that it covers.
    size     bigint NOT NULL CHECK (size >= 0)
) WITH (fillfactor = 10);
INSERT INTO log_tree (size) VALUES (0);

-- 256 hashes that stand side by side: on level 0 those of leaves, on level n the roots of complete tiles of level n - 1.
-- The last tile of each level has fewer, and is the only one that is ever written again.
CREATE TABLE log_tree_tiles (
    level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    index  bigint NOT NULL CHECK (index >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    PRIMARY KEY (level, index)
);
-- Hashes do not compress.
ALTER TABLE log_tree_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
