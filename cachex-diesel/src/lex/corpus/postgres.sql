INSERT INTO users (name) VALUES ($1) RETURNING id
INSERT INTO "users" ("name", "email") VALUES ($1, $2), ($3, DEFAULT) RETURNING "users"."id"
INSERT INTO users DEFAULT VALUES
INSERT INTO users (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = EXCLUDED.name WHERE users.active RETURNING *
INSERT INTO users (name) VALUES ($1) ON CONFLICT ON CONSTRAINT users_name_key DO NOTHING
INSERT INTO users AS u (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = u.n + 1
INSERT INTO public."Users" SELECT * FROM unnest($1::int[], $2::text[])
INSERT INTO films SELECT * FROM tmp_films WHERE date_prod < '2004-05-07'
INSERT INTO a (x) WITH w AS (SELECT x FROM b) SELECT x FROM w
UPDATE users SET name = $1 WHERE id = $2 RETURNING *
UPDATE "users" SET "name" = $1 WHERE ("users"."id" = $2)
UPDATE users u SET n = p.n FROM posts p WHERE p.user_id = u.id
UPDATE users AS u SET (a, b) = (SELECT x, y FROM pairs WHERE pairs.id = u.id)
UPDATE users SET (a, b) = ($1, $2) WHERE id = 1
UPDATE weather SET temp_lo = temp_lo + 1, prcp = DEFAULT WHERE city = 'San Francisco' RETURNING temp_lo
UPDATE employees SET sales_count = sales_count + 1 FROM accounts WHERE accounts.name = 'Acme' AND employees.id = accounts.sales_person
UPDATE users SET tags = array_append(tags, 'x'), data = data || '{"a": 1}'::jsonb, data2 = jsonb_set(data2, '{a}', '1')
UPDATE "select" SET "from" = 1
DELETE FROM users WHERE id = ANY($1)
DELETE FROM users USING bans WHERE bans.user_id = users.id
DELETE FROM users AS u USING bans b, logs l WHERE b.user_id = u.id AND l.user_id = u.id RETURNING u.*
DELETE FROM "public"."users" WHERE "users"."id" IN ($1, $2)
WITH gone AS (DELETE FROM queue WHERE id = (SELECT id FROM queue ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *) SELECT * FROM gone
WITH moved AS (DELETE FROM products WHERE date < '2010-10-01' RETURNING *) INSERT INTO products_log SELECT * FROM moved
WITH up AS (UPDATE products SET price = price * 1.05 RETURNING *) SELECT * FROM up
WITH ins AS (INSERT INTO authors (name) VALUES ('A') RETURNING id) INSERT INTO books (author_id) SELECT id FROM ins
WITH a AS (INSERT INTO t1 VALUES (1) RETURNING *), b AS (UPDATE t2 SET x = 1 RETURNING *), c AS (DELETE FROM t3 RETURNING *) SELECT * FROM a, b, c
WITH t AS MATERIALIZED (SELECT * FROM big) SELECT * FROM t WHERE id = 1
WITH t AS NOT MATERIALIZED (SELECT * FROM big) UPDATE small SET n = t.n FROM t WHERE t.id = small.id
MERGE INTO customer_account ca USING recent_transactions t ON t.customer_id = ca.customer_id WHEN MATCHED THEN UPDATE SET balance = balance + transaction_value WHEN NOT MATCHED THEN INSERT (customer_id, balance) VALUES (t.customer_id, t.transaction_value)
MERGE INTO wines AS w USING wine_stock_changes AS s ON s.winename = w.winename WHEN NOT MATCHED AND s.stock_delta > 0 THEN INSERT VALUES (s.winename, s.stock_delta) WHEN MATCHED THEN DELETE
MERGE INTO a USING (SELECT * FROM b) AS s ON a.id = s.id WHEN MATCHED THEN DELETE
SELECT * FROM ONLY users
SELECT DISTINCT ON (user_id) * FROM posts ORDER BY user_id, created_at DESC
SELECT "users"."id", "users"."name" FROM "users" WHERE ("users"."id" = $1) LIMIT $2
SELECT u.*, p.* FROM users u LEFT JOIN LATERAL (SELECT * FROM posts WHERE posts.user_id = u.id LIMIT 3) p ON TRUE
SELECT * FROM users u, LATERAL (SELECT count(*) FROM posts WHERE posts.user_id = u.id) c
SELECT * FROM generate_series(1, 10) AS g (n)
SELECT * FROM generate_series(1, 10) g JOIN users ON users.id = g
SELECT * FROM unnest(ARRAY[1, 2]) AS x (id), users
SELECT data->>'name', data#>>'{a,b}', data @> '{"a": 1}' FROM documents
SELECT tags[1], tags[2:3] FROM posts
SELECT name::text, id::bigint FROM users
SELECT EXTRACT(year FROM created_at), date_trunc('month', created_at) FROM orders
SELECT a IS DISTINCT FROM b FROM pairs
SELECT a IS NOT DISTINCT FROM b FROM pairs
SELECT trim(both 'x' FROM name), position('a' IN name), overlay(name placing 'x' FROM 1 FOR 2) FROM users
SELECT array_agg(name ORDER BY name) FILTER (WHERE active) FROM users
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price) FROM products
SELECT * FROM users WHERE name ILIKE '%a%' AND email ~* '^a'
SELECT * FROM users WHERE (a, b) IN (SELECT c, d FROM pairs)
SELECT * FROM users WHERE id = ANY(ARRAY(SELECT user_id FROM posts))
SELECT * FROM users WHERE id = ALL(SELECT user_id FROM posts)
SELECT * FROM users FOR UPDATE
SELECT * FROM users FOR SHARE
SELECT * FROM jobs ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
SELECT * FROM users u JOIN posts p ON p.user_id = u.id FOR UPDATE OF u NOWAIT
SELECT * INTO copies FROM users
SELECT a, b INTO TEMPORARY scratch FROM t
SELECT GROUPING(a), a, sum(b) FROM t GROUP BY GROUPING SETS ((a), ())
SELECT a, sum(b) FROM t GROUP BY ROLLUP (a)
SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b)
SELECT $$it's FROM nowhere$$ FROM somewhere
SELECT $tag$ FROM $$ nowhere $tag$ FROM somewhere
SELECT E'it\'s FROM nowhere' FROM somewhere
SELECT U&'d\0061t\+000061' FROM t
SELECT * FROM users TABLESAMPLE SYSTEM (1)
SELECT * FROM ROWS FROM (generate_series(1, 2)) AS x
SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS t (n, s) JOIN users ON users.id = t.n
SELECT now() - interval '1 day', current_date FROM clock
SELECT x.a FROM (SELECT a FROM t1 UNION SELECT a FROM t2) x
SELECT EXISTS (SELECT 1 FROM users WHERE id = $1)
SELECT EXISTS(SELECT "users"."id" FROM "users" WHERE ("users"."name" = $1))
SELECT pg_advisory_lock(1)
SELECT nextval('users_id_seq')
SELECT * FROM pg_catalog.pg_tables
SELECT * FROM information_schema.columns WHERE table_name = 'users'
SELECT xmlelement(name foo) FROM t
SELECT jsonb_build_object('a', a) FROM t
SELECT a FROM t FETCH FIRST 5 ROWS ONLY
SELECT a FROM t OFFSET 5 ROWS
SELECT a.b.c FROM a.b
TABLE users
COPY users (id, name) FROM STDIN
COPY users TO STDOUT
COPY (SELECT * FROM users) TO STDOUT
TRUNCATE users
TRUNCATE TABLE users, posts RESTART IDENTITY CASCADE
CREATE TABLE t (id SERIAL PRIMARY KEY, data JSONB NOT NULL DEFAULT '{}', at TIMESTAMPTZ DEFAULT now())
CREATE TABLE t2 AS SELECT * FROM t
CREATE TABLE measurement_y2006 PARTITION OF measurement FOR VALUES FROM ('2006-01-01') TO ('2007-01-01')
CREATE MATERIALIZED VIEW mv AS SELECT * FROM t
REFRESH MATERIALIZED VIEW mv
CREATE INDEX CONCURRENTLY i ON t USING gin (data)
CREATE TYPE mood AS ENUM ('sad', 'ok')
CREATE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql
CREATE EXTENSION IF NOT EXISTS pgcrypto
CREATE SCHEMA tenant
ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b (id) ON DELETE CASCADE
ALTER TABLE ONLY t ALTER COLUMN a TYPE bigint
ALTER TABLE t ENABLE ROW LEVEL SECURITY
DROP TABLE t CASCADE
DROP TABLE a, b, c
DROP MATERIALIZED VIEW mv
COMMENT ON TABLE t IS 'x'
GRANT SELECT ON users TO reader
SET search_path TO tenant
SET LOCAL statement_timeout = 100
SHOW server_version
LOCK TABLE users IN EXCLUSIVE MODE
NOTIFY channel, 'payload'
LISTEN channel
EXPLAIN ANALYZE SELECT * FROM users
EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM users
DO $$ BEGIN DELETE FROM users; END $$
CALL archive(1)
PREPARE p AS SELECT * FROM users WHERE id = $1
EXECUTE p(1)
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY
START TRANSACTION ISOLATION LEVEL REPEATABLE READ
COMMIT AND CHAIN
VACUUM users
