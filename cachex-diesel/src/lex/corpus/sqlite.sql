INSERT OR REPLACE INTO settings (name, value) VALUES ('theme', 'dark')
INSERT OR IGNORE INTO tags (name) VALUES ('rust')
INSERT OR FAIL INTO tags (name) VALUES ('rust')
INSERT OR ABORT INTO tags (name) VALUES ('rust')
INSERT OR ROLLBACK INTO tags (name) VALUES ('rust')
REPLACE INTO settings (name, value) VALUES ('theme', 'dark')
INSERT INTO tags DEFAULT VALUES
INSERT INTO counts (word, n) VALUES ('a', 1) ON CONFLICT (word) DO UPDATE SET n = n + 1
INSERT INTO counts (word, n) VALUES ('a', 1) ON CONFLICT DO NOTHING
INSERT INTO counts (word, n) SELECT word, 1 FROM words WHERE true ON CONFLICT (word) DO UPDATE SET n = excluded.n
INSERT INTO users (name) VALUES (?1) RETURNING id
INSERT INTO users (name) VALUES (:name) RETURNING id, name
INSERT INTO users (name) VALUES (@name)
INSERT INTO users (name) VALUES ($name)
UPDATE OR IGNORE users SET email = ?
UPDATE OR REPLACE users SET email = ? WHERE id = ?
UPDATE users SET name = ? WHERE id = ? RETURNING *
UPDATE inventory SET quantity = quantity - daily.amt FROM (SELECT sum(quantity) AS amt, item_id FROM sales GROUP BY 2) AS daily WHERE inventory.item_id = daily.item_id
UPDATE a SET x = b.x FROM b JOIN c ON b.id = c.id WHERE a.id = b.id
DELETE FROM users WHERE id = ? RETURNING id
DELETE FROM users WHERE rowid IN (SELECT rowid FROM users ORDER BY id LIMIT 10)
WITH gone AS (SELECT id FROM users WHERE banned) DELETE FROM posts WHERE user_id IN gone
WITH t AS (SELECT 1 AS a) INSERT INTO users (id) SELECT a FROM t
WITH t AS (SELECT 1 AS a) UPDATE users SET id = (SELECT a FROM t)
SELECT * FROM `users`
SELECT * FROM "users" WHERE "users"."id" = ?
SELECT * FROM [order details] WHERE [order details].[id] = 1
SELECT `users`.`id`, `users`.`name` FROM `users` INNER JOIN `posts` ON `posts`.`user_id` = `users`.`id` WHERE `posts`.`title` = ?
SELECT * FROM main.users
SELECT * FROM users INDEXED BY users_name WHERE name = 'a'
SELECT * FROM users NOT INDEXED
SELECT * FROM users WHERE id IN banned
SELECT * FROM docs WHERE docs MATCH 'sqlite'
SELECT name FROM sqlite_master WHERE type = 'table'
SELECT json_extract(data, '$.name') FROM blobs
SELECT value FROM json_each('[1, 2]')
SELECT u.id, j.value FROM users u, json_each(u.tags) j
SELECT group_concat(name, ', ') FROM users GROUP BY team
SELECT a ->> '$.b' FROM documents
SELECT x'ff', X'00' FROM blobs
SELECT * FROM users LIMIT 10, 20
SELECT name GLOB 'a*' FROM files
SELECT typeof(a), quote(b) FROM t
SELECT CAST(strftime('%s', at) AS INTEGER) FROM events
SELECT 1 IS NOT 2 FROM a
SELECT * FROM a LEFT JOIN b ON a.x = b.x WHERE b.x IS NULL
SELECT DISTINCT a.x FROM a, (SELECT x FROM b) AS bb WHERE a.x = bb.x
SELECT iif(a, b, c) FROM d
SELECT count(*) FILTER (WHERE a > 1) FROM t
VALUES (1, 2), (3, 4)
CREATE TEMP TABLE scratch (id INTEGER)
CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT DEFAULT 'x', CHECK (b <> ''))
CREATE TABLE copy AS SELECT * FROM users
CREATE TABLE w (a TEXT PRIMARY KEY) WITHOUT ROWID
CREATE VIRTUAL TABLE docs USING fts5(title, body)
CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO log (id) VALUES (new.id); END
CREATE VIEW v AS SELECT a, b FROM t
CREATE INDEX i ON t (a) WHERE b IS NOT NULL
ALTER TABLE t RENAME COLUMN a TO b
ATTACH DATABASE 'other.db' AS other
PRAGMA journal_mode = WAL
PRAGMA table_info(users)
BEGIN IMMEDIATE
BEGIN TRANSACTION
END TRANSACTION
VACUUM
ANALYZE
EXPLAIN SELECT * FROM users
EXPLAIN QUERY PLAN SELECT * FROM users JOIN posts
DELETE FROM main."Order"
UPDATE "from" SET "set" = 1 WHERE "where" = 2
INSERT INTO "into" ("values") SELECT "from" FROM "select"
SELECT "a""b" FROM "c""d"
