-- A page is judged parked by several signs, and one of them is found before it is fetched: name servers of a service that
-- parks domains. They stand in the row, separated by blanks, for the worker that reads the page; only where there are such.
ALTER TABLE read.domains ADD COLUMN parking_servers text;
