INSERT IGNORE INTO tags (name) VALUES ('rust')
INSERT LOW_PRIORITY INTO tags (name) VALUES ('rust')
INSERT INTO tags SET name = 'rust', n = 1
INSERT INTO counts (word, n) VALUES ('a', 1) ON DUPLICATE KEY UPDATE n = n + VALUES(n)
INSERT INTO counts (word, n) SELECT word, COUNT(*) FROM words GROUP BY word ON DUPLICATE KEY UPDATE n = VALUES(n)
INSERT users (name) VALUES ('a')
INSERT INTO users () VALUES ()
INSERT INTO `users` (`name`) VALUES (?), (DEFAULT)
REPLACE INTO settings (name, value) VALUES ('theme', 'dark')
REPLACE settings (name, value) VALUES ('theme', 'dark')
REPLACE INTO a SELECT * FROM b
UPDATE `users` SET `name` = ? WHERE (`users`.`id` = ?)
UPDATE users u JOIN posts p ON p.user_id = u.id SET u.n = u.n + 1 WHERE p.id = 1
UPDATE users, posts SET users.a = posts.b WHERE users.id = posts.user_id
UPDATE users u INNER JOIN (SELECT user_id, COUNT(*) AS n FROM posts GROUP BY user_id) p ON p.user_id = u.id SET u.posts = p.n
UPDATE users LEFT JOIN bans USING (id) SET users.banned = 1
UPDATE users SET name = 'a' ORDER BY id LIMIT 1
UPDATE IGNORE users SET name = 'a'
UPDATE LOW_PRIORITY users SET name = 'a'
UPDATE shop.`order details` SET n = 1
DELETE FROM users WHERE id = ? LIMIT 1
DELETE FROM users ORDER BY id LIMIT 10
DELETE u FROM users u JOIN bans b ON b.user_id = u.id
DELETE users, posts FROM users JOIN posts ON posts.user_id = users.id WHERE users.id = 1
DELETE FROM users USING users JOIN bans ON bans.user_id = users.id
DELETE QUICK FROM users WHERE id = 1
DELETE FROM `shop`.`users` WHERE `id` IN (1, 2)
SELECT `users`.`id`, `users`.`name` FROM `users` WHERE (`users`.`id` = ?) LIMIT ?
SELECT SQL_NO_CACHE id FROM users
SELECT SQL_CALC_FOUND_ROWS * FROM users LIMIT 10
SELECT STRAIGHT_JOIN * FROM a JOIN b
SELECT * FROM a STRAIGHT_JOIN b ON a.x = b.x
SELECT HIGH_PRIORITY * FROM users
SELECT * FROM users USE INDEX (name_index) WHERE name = 'a'
SELECT * FROM users FORCE INDEX (a, b), posts
SELECT * FROM users IGNORE INDEX FOR JOIN (i) JOIN posts ON posts.user_id = users.id
SELECT * FROM users PARTITION (p0)
SELECT * FROM users LIMIT 5, 10
SELECT * FROM users FOR UPDATE
SELECT * FROM users LOCK IN SHARE MODE
SELECT * FROM users WHERE MATCH (name) AGAINST ('ada' IN BOOLEAN MODE)
SELECT * FROM users WHERE name REGEXP '^a' AND name RLIKE 'b'
SELECT * FROM users WHERE name = "Ada" OR name = "it\"s"
SELECT 'it\'s FROM nowhere' FROM somewhere
SELECT 'a\nb' FROM somewhere
SELECT GROUP_CONCAT(name ORDER BY name SEPARATOR ', ') FROM users
SELECT IF(a, b, c), IFNULL(d, e) FROM t
SELECT DATE_ADD(at, INTERVAL 1 DAY), DATE_FORMAT(at, '%Y') FROM events
SELECT EXTRACT(YEAR FROM at) FROM events
SELECT a DIV b, a MOD b, a XOR b FROM t
SELECT a->'$.b', a->>'$.c' FROM documents
SELECT CONVERT(a USING utf8mb4) FROM t
SELECT CONVERT(a, CHAR) FROM t
SELECT CAST(a AS UNSIGNED), CAST(b AS CHAR CHARACTER SET utf8mb4) FROM t
SELECT _utf8mb4'abc' FROM t
SELECT x'ff', 0xff, b'01' FROM t
SELECT @a := 1 FROM t
SELECT @@version
SELECT BINARY a = 'b' FROM t
SELECT a FROM t GROUP BY a WITH ROLLUP
SELECT t.* FROM t NATURAL LEFT JOIN u
SELECT * FROM a LEFT JOIN (b, c) ON a.x = b.x AND a.y = c.y
SELECT a FROM t PROCEDURE ANALYSE()
SELECT NULL <=> a FROM t
SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) AS j JOIN users ON users.id = j.a
SELECT a FROM t1 WHERE a IN (SELECT b FROM t2 WHERE t2.c = t1.c)
SELECT 1 FROM DUAL
SELECT 1 # FROM nobody
SELECT /*! STRAIGHT_JOIN */ a FROM t
SELECT /*+ MAX_EXECUTION_TIME(10) */ a FROM t
SELECT a FROM t -- FROM nobody
SELECT 5--2 FROM t
WITH c AS (SELECT id FROM users) SELECT * FROM c JOIN posts ON posts.user_id = c.id
WITH c AS (SELECT id FROM users) DELETE FROM posts WHERE user_id IN (SELECT id FROM c)
WITH c AS (SELECT id FROM users) UPDATE posts SET n = 1 WHERE user_id IN (SELECT id FROM c)
CREATE TABLE t (id INT UNSIGNED NOT NULL AUTO_INCREMENT, name VARCHAR(20) CHARACTER SET utf8mb4, PRIMARY KEY (id)) ENGINE = InnoDB
CREATE TABLE u LIKE t
CREATE TABLE v SELECT * FROM t
CREATE TEMPORARY TABLE scratch (id INT)
CREATE OR REPLACE VIEW w AS SELECT * FROM t
ALTER TABLE t ADD INDEX i (a), ADD COLUMN b INT AFTER a
ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4
ALTER TABLE t MODIFY COLUMN a BIGINT
DROP TABLE a, b
DROP INDEX i ON t
RENAME TABLE a TO b, c TO d
TRUNCATE TABLE t
TRUNCATE t
LOAD DATA LOCAL INFILE 'x.csv' INTO TABLE t FIELDS TERMINATED BY ','
LOCK TABLES a READ, b WRITE
UNLOCK TABLES
SET NAMES utf8mb4
SET autocommit = 0
SET @a = 1
SET SESSION sql_mode = 'ANSI'
SHOW TABLES
SHOW CREATE TABLE users
SHOW COLUMNS FROM users
DESCRIBE users
EXPLAIN SELECT * FROM users
EXPLAIN FORMAT = JSON SELECT * FROM users
USE shop
KILL 5
CALL archive(1)
START TRANSACTION READ ONLY
START TRANSACTION WITH CONSISTENT SNAPSHOT
COMMIT WORK
OPTIMIZE TABLE t
ANALYZE TABLE t
FLUSH TABLES
