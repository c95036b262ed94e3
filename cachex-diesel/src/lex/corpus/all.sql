SELECT 1
SELECT id, name, email FROM users
SELECT * FROM users WHERE id = 1
SELECT u.id, u.name FROM users u WHERE u.active = 1 ORDER BY u.created_at DESC LIMIT 20 OFFSET 40
SELECT COUNT(*) FROM orders
SELECT COUNT(DISTINCT customer_id) AS customers FROM orders WHERE status IN ('paid', 'shipped')
SELECT c.name, SUM(o.total) AS spent FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.name HAVING SUM(o.total) > 100 ORDER BY spent DESC
SELECT p.*, t.name FROM posts AS p LEFT JOIN taggings AS pt ON pt.post_id = p.id LEFT OUTER JOIN tags AS t ON t.id = pt.tag_id
SELECT a.id FROM accounts a INNER JOIN members m USING (id) CROSS JOIN settings
SELECT * FROM users, posts WHERE users.id = posts.user_id
SELECT * FROM users WHERE id IN (SELECT user_id FROM bans WHERE expires_at > 0)
SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM posts p WHERE p.user_id = u.id AND p.published)
SELECT * FROM users u WHERE NOT EXISTS (SELECT NULL FROM logins l WHERE l.user_id = u.id)
SELECT (SELECT MAX(price) FROM products) AS top, name FROM shops
SELECT x.n FROM (SELECT COUNT(*) AS n, user_id FROM posts GROUP BY user_id) x JOIN users ON users.id = x.user_id
SELECT id FROM drafts UNION SELECT id FROM posts
SELECT id FROM drafts UNION ALL SELECT id FROM posts UNION ALL SELECT id FROM pages ORDER BY id
SELECT id FROM a EXCEPT SELECT id FROM b
SELECT id FROM a INTERSECT SELECT id FROM b
(SELECT id FROM a) UNION (SELECT id FROM b)
WITH recent AS (SELECT * FROM orders WHERE created_at > '2024-01-01') SELECT customer_id, COUNT(*) FROM recent GROUP BY customer_id
WITH a AS (SELECT 1 AS n FROM t1), b AS (SELECT n FROM a, t2) SELECT * FROM b JOIN t3 ON t3.n = b.n
WITH RECURSIVE tree AS (SELECT id, parent_id FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id FROM categories c JOIN tree ON tree.id = c.parent_id) SELECT * FROM tree
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n
SELECT CASE WHEN age < 18 THEN 'minor' WHEN age < 65 THEN 'adult' ELSE 'senior' END AS class, COUNT(*) FROM people GROUP BY class
SELECT id, ROW_NUMBER() OVER (PARTITION BY team_id ORDER BY score DESC) AS place FROM players
SELECT id, SUM(amount) OVER (ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM ledger
SELECT COALESCE(nickname, name, 'anonymous') FROM users WHERE name LIKE 'A%' AND nickname IS NOT NULL
SELECT CAST(price AS INTEGER) FROM products WHERE price BETWEEN 10 AND 20
SELECT 'it''s FROM here' AS note, name FROM notes
SELECT 'INSERT INTO users' FROM audit
SELECT n.name FROM names n
SELECT from_here FROM log_lines
SELECT /* FROM users */ name FROM audit /* , posts */
SELECT DISTINCT country FROM addresses WHERE country <> '' ORDER BY country ASC
SELECT t.id, t.title FROM tickets t WHERE (t.state = 'open' OR t.state = 'waiting') AND t.owner_id = 7
SELECT * FROM shop.products
SELECT shop.products.id FROM shop.products JOIN shop.stock ON shop.stock.product_id = shop.products.id
SELECT o.id FROM orders o WHERE o.total > (SELECT AVG(total) FROM orders) AND o.customer_id NOT IN (SELECT id FROM customers WHERE blocked)
SELECT name FROM users GROUP BY name HAVING COUNT(*) > (SELECT limits.n FROM limits)
SELECT name FROM users ORDER BY (SELECT COUNT(*) FROM posts WHERE posts.user_id = users.id) DESC
SELECT * FROM a NATURAL JOIN b
SELECT * FROM (a JOIN b ON a.x = b.x)
SELECT * FROM (a JOIN (b JOIN c ON b.y = c.y) ON a.x = b.x) JOIN d ON d.z = a.z
SELECT * FROM a, b, c WHERE a.x = b.x AND b.y = c.y
SELECT * FROM a JOIN b ON a.x IN (SELECT x FROM c), d
SELECT MAX(id) FROM events WHERE kind = 'login' AND user_id = 42
SELECT REPLACE(name, 'a', 'b') FROM users
SELECT UPPER(TRIM(name)) FROM users
SELECT SUBSTRING(name FROM 1 FOR 3) FROM users
SELECT u.id AS "from", u.name AS "select" FROM users u
SELECT -1, +2, 3.5e-7, .5 FROM numbers
SELECT a||b FROM pairs
SELECT NOT a FROM flags
SELECT u1.id FROM users u1 JOIN users u2 ON u1.referrer_id = u2.id
INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.org')
INSERT INTO users (name, email) VALUES ('Ada', 'a'), ('Bob', 'b'), ('Cyd', 'c')
INSERT INTO users VALUES (1, 'Ada')
INSERT INTO archive SELECT * FROM orders WHERE created_at < '2020-01-01'
INSERT INTO archive (id, total) SELECT id, total FROM orders WHERE id NOT IN (SELECT id FROM archive)
INSERT INTO shop.stock (product_id, n) VALUES (1, (SELECT COUNT(*) FROM items))
INSERT INTO log (message) VALUES ('DELETE FROM users; DROP TABLE users')
INSERT INTO replaced (a) VALUES (REPLACE('x', 'y', 'z'))
UPDATE users SET name = 'Bob' WHERE id = 1
UPDATE users SET name = 'Bob', email = NULL, updated_at = CURRENT_TIMESTAMP WHERE id IN (1, 2, 3)
UPDATE counters SET n = n + 1 WHERE name = 'visits'
UPDATE orders SET total = (SELECT SUM(price) FROM items WHERE items.order_id = orders.id)
UPDATE products SET price = price * 1.1 WHERE category_id IN (SELECT id FROM categories WHERE name = 'books')
UPDATE shop.stock SET n = 0
UPDATE accounts SET balance = CASE WHEN id = 1 THEN balance - 10 ELSE balance + 10 END WHERE id IN (1, 2)
UPDATE users SET bio = 'from here to there; set and match' WHERE id = 3
DELETE FROM users WHERE id = 1
DELETE FROM users
DELETE FROM sessions WHERE expires_at < 1700000000
DELETE FROM posts WHERE user_id IN (SELECT id FROM users WHERE banned)
DELETE FROM posts WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = posts.user_id)
DELETE FROM shop.products WHERE id = 1 OR name = 'x'
CREATE TABLE widgets (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, price DECIMAL(10, 2))
CREATE TABLE IF NOT EXISTS parts (id INTEGER PRIMARY KEY, widget_id INTEGER REFERENCES widgets (id))
ALTER TABLE widgets ADD COLUMN colour VARCHAR(20)
ALTER TABLE widgets RENAME TO gadgets
ALTER TABLE widgets DROP COLUMN colour
DROP TABLE widgets
DROP TABLE IF EXISTS widgets
CREATE INDEX widgets_name ON widgets (name)
CREATE UNIQUE INDEX widgets_code ON widgets (code)
CREATE VIEW cheap AS SELECT * FROM widgets WHERE price < 10
DROP VIEW cheap
BEGIN
COMMIT
ROLLBACK
SAVEPOINT a
RELEASE SAVEPOINT a
ROLLBACK TO SAVEPOINT a
