//! What statements do, one by one.

use super::*;

const ALL: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];

fn one(text: &str, dialect: Dialect) -> Statement {
    let mut all = analyse(text, dialect, true);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    all.remove(0)
}

fn written(text: &str, dialect: Dialect) -> Vec<String> {
    match one(text, dialect).writes {
        Writes::Tables(tables) => tables.iter().map(|name| name.to_string()).collect(),
        Writes::Unknown => vec!["?".to_owned()],
    }
}

fn reads(text: &str, dialect: Dialect) -> Vec<String> {
    let statement = one(text, dialect);
    assert!(statement.is_plain_query, "{text}");
    statement.reads.iter().map(|name| name.to_string()).collect()
}

#[test]
fn writes_name_their_tables() {
    for dialect in ALL {
        for (text, tables) in [
            ("INSERT INTO users (id) VALUES (?)", vec!["users"]),
            ("insert into Main.\"Users\" default values", vec!["users"]),
            ("INSERT INTO users SELECT * FROM posts", vec!["users"]),
            ("UPDATE users SET name = ? WHERE id = (SELECT max(id) FROM posts)", vec!["users"]),
            ("DELETE FROM users WHERE id IN (SELECT id FROM posts)", vec!["users"]),
            ("WITH x AS (SELECT 1) DELETE FROM users", vec!["users"]),
            ("SELECT replace(name, 'a', 'b') FROM users", vec![]),
            ("SELECT * FROM users", vec![]),
            ("CALL anything()", vec!["?"]),
            ("whatever this is", vec!["?"]),
            ("VACUUM", vec![]),
        ] {
            assert_eq!(written(text, dialect), tables, "{text} {dialect:?}");
        }
    }
}

#[test]
fn each_server_has_its_own_ways_to_write() {
    use Dialect::{Mysql, Postgres, Sqlite};
    for (dialect, text, tables) in [
        (Sqlite, "INSERT OR REPLACE INTO users VALUES (1)", vec!["users"]),
        (Sqlite, "REPLACE INTO users VALUES (1)", vec!["users"]),
        (Sqlite, "UPDATE OR IGNORE users SET a = 1", vec!["ignore", "users"]),
        (Sqlite, "INSERT INTO users VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1", vec!["users"]),
        (Sqlite, "EXPLAIN QUERY PLAN DELETE FROM users", vec!["users"]),
        (Postgres, "UPDATE ONLY public.\"users\" SET a = 1 FROM posts", vec!["users"]),
        (Postgres, "DELETE FROM ONLY users", vec!["only", "users"]),
        (Postgres, "DELETE FROM users USING posts WHERE posts.id = users.id", vec!["users"]),
        (Postgres, "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone", vec!["a", "b"]),
        (Postgres, "WITH x AS MATERIALIZED (UPDATE a SET b = 1 RETURNING c) SELECT * FROM x", vec!["a"]),
        (Postgres, "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET c = 1", vec!["a"]),
        (Postgres, "COPY users (id, name) FROM STDIN", vec!["users"]),
        (Postgres, "COPY users TO STDOUT", vec![]),
        (Postgres, "COPY (DELETE FROM users RETURNING *) TO STDOUT", vec!["users"]),
        (Postgres, "SELECT * INTO copies FROM users", vec!["copies"]),
        (Postgres, "EXPLAIN ANALYZE DELETE FROM users", vec!["users"]),
        (Postgres, "EXPLAIN (ANALYZE, BUFFERS) UPDATE users SET a = 1", vec!["users"]),
        (Postgres, "DO $$ BEGIN DELETE FROM users; END $$", vec!["?"]),
        (Postgres, "EXECUTE prepared(1)", vec!["?"]),
        (
            Mysql,
            "UPDATE LOW_PRIORITY users u JOIN posts p ON u.id = p.id SET u.a = 1",
            vec!["low_priority", "posts", "users"],
        ),
        (Mysql, "UPDATE users, posts SET users.a = posts.b", vec!["posts", "users"]),
        (Mysql, "DELETE a, b.* FROM a JOIN b ON a.id = b.id", vec!["a", "b"]),
        (Mysql, "DELETE FROM a USING a, b WHERE a.id = b.id", vec!["a", "b"]),
        (Mysql, "DELETE QUICK FROM a LIMIT 1", vec!["a"]),
        (Mysql, "INSERT INTO users VALUES (1) ON DUPLICATE KEY UPDATE a = 1", vec!["users"]),
        (Mysql, "LOAD DATA LOCAL INFILE 'x' INTO TABLE users", vec!["users"]),
        (Mysql, "HANDLER users OPEN", vec!["?"]),
        (Mysql, "/*!50001 DELETE FROM users */", vec!["users"]),
    ] {
        assert_eq!(written(text, dialect), tables, "{text}");
    }
}

#[test]
fn what_hides_a_table_is_seen_through() {
    use Dialect::{Mysql, Postgres, Sqlite};
    for (dialect, text, tables) in [
        (
            Mysql,
            "DELETE u FROM (SELECT user_id FROM posts WHERE spam) p JOIN users u ON u.id = p.user_id",
            vec!["posts", "u", "users"],
        ),
        (
            Mysql,
            "UPDATE posts p JOIN users u ON CAST(p.x AS CHAR CHARACTER SET utf8mb4) = u.y SET u.z = 1",
            vec!["posts", "users"],
        ),
        (Mysql, "WITH c AS (SELECT 1) UPDATE (users JOIN c ON users.id = c.id) SET a = 1", vec!["c", "users"]),
        (Mysql, "SET STATEMENT max_statement_time=1 FOR UPDATE users SET a=1", vec!["users"]),
        (Mysql, "ANALYZE FORMAT=JSON DELETE FROM users", vec!["users"]),
        (Mysql, "UPDATE shop.2fa_codes SET a = 1", vec!["2fa_codes"]),
        (Mysql, r"UPDATE users SET a = '\' WHERE b = 'x'", vec!["?"]),
        (Sqlite, "UPDATE main.'users' SET a = 1", vec!["?"]),
        (Postgres, r#"UPDATE U&"users" SET a = 1"#, vec!["?"]),
        (Postgres, r#"INSERT INTO U&"users" VALUES (1)"#, vec!["?"]),
        (Sqlite, "-- x\r'\nDELETE FROM users", vec!["users"]),
    ] {
        assert_eq!(written(text, dialect), tables, "{text}");
    }
    for (dialect, text, tables) in [
        (Sqlite, "SELECT * FROM users WHERE id IN banned", vec!["banned", "users"]),
        (Sqlite, "SELECT * FROM docs_fts('x') f JOIN docs d", vec!["docs", "docs_fts"]),
        (Postgres, "SELECT * FROM users UNION TABLE posts", vec!["posts", "users"]),
        (Postgres, "WITH x AS (TABLE posts) SELECT * FROM x, users", vec!["posts", "users", "x"]),
        (Mysql, "SELECT * FROM {OJ users LEFT JOIN posts ON a = b}", vec!["posts", "users"]),
        (Mysql, "SELECT * FROM users USE INDEX FOR JOIN (i), posts", vec!["i", "posts", "users"]),
        (Mysql, "SELECT 1.0FROM users", vec!["users"]),
        (Postgres, "SELECT position('a' IN name) FROM users", vec!["users"]),
    ] {
        assert_eq!(reads(text, dialect), tables, "{text}");
    }
    assert!(!one("SELECT * FROM users JOIN 'posts'", Sqlite).is_plain_query);
    assert!(!one("SELECT * FROM users WHERE id=?FOR UPDATE", Mysql).is_plain_query);
    // The name of a part is that of a table as well, where it is read before the part is there.
    assert!(one("WITH v AS (SELECT * FROM v WHERE a) SELECT * FROM v", Postgres).own.is_empty());
    assert!(one("SELECT a AS x, (SELECT 1) AS y FROM v GROUP BY a WITH ROLLUP", Mysql).own.is_empty());
}

#[test]
fn definitions_concern_all_they_name_or_anything() {
    let names = written("ALTER TABLE users ADD COLUMN age INT", Dialect::Postgres);
    assert!(names.contains(&"users".to_owned()));
    assert_eq!(written("DROP SCHEMA shop CASCADE", Dialect::Postgres), ["?"]);
    assert_eq!(written("TRUNCATE users, posts CASCADE", Dialect::Postgres), ["?"]);
    let text = "CREATE TABLE posts (user_id INT REFERENCES users (id) ON DELETE CASCADE)";
    assert!(written(text, Dialect::Postgres).contains(&"posts".to_owned()));
    assert_eq!(written("DROP DATABASE shop", Dialect::Mysql), ["?"]);
    assert!(one("CREATE TEMP TABLE users (id INT)", Dialect::Postgres).changes_session);
}

#[test]
fn queries_name_what_they_read() {
    for dialect in ALL {
        for (text, tables) in [
            ("SELECT 1", vec![]),
            ("SELECT a, b FROM users", vec!["users"]),
            ("SELECT * FROM main.users AS u, posts p WHERE u.a = p.b", vec!["posts", "users"]),
            ("SELECT * FROM users u LEFT JOIN posts p ON (u.id = p.id), c", vec!["c", "posts", "users"]),
            ("SELECT * FROM (users JOIN posts USING (id))", vec!["posts", "users"]),
            ("SELECT * FROM (SELECT a, b FROM users) x, posts", vec!["posts", "users"]),
            (
                "SELECT a FROM users WHERE EXISTS (SELECT 1 FROM posts, c WHERE d IN (1, 2))",
                vec!["c", "posts", "users"],
            ),
            ("(SELECT a FROM users) UNION ALL (SELECT b FROM posts)", vec!["posts", "users"]),
            ("SELECT a FROM users ORDER BY b, c LIMIT 3", vec!["users"]),
            ("SELECT count(a), max(b) FROM users GROUP BY c, d", vec!["users"]),
            ("WITH x AS (SELECT * FROM users) SELECT * FROM x", vec!["users", "x"]),
            ("SELECT * FROM order", vec!["order"]),
        ] {
            assert_eq!(reads(text, dialect), tables, "{text} {dialect:?}");
        }
    }
    let text = "SELECT extract(year FROM a), b IS NOT DISTINCT FROM c FROM users";
    assert_eq!(reads(text, Dialect::Postgres), ["users"]);
    let own = one(
        "WITH RECURSIVE x AS (SELECT 1), y (a, b) AS MATERIALIZED (SELECT 2) SELECT * FROM x, y",
        Dialect::Postgres,
    )
    .own;
    assert_eq!(own, ["x".into(), "y".into()] as [Name; 2]);
    assert_eq!(reads("TABLE users", Dialect::Postgres), ["users"]);
    assert_eq!(
        reads("SELECT * FROM ONLY users, LATERAL (SELECT * FROM posts) p", Dialect::Postgres),
        ["posts", "users"]
    );
    assert_eq!(reads("SELECT * FROM generate_series(1, 2) g, users", Dialect::Postgres), ["users"]);
    assert_eq!(reads("SELECT * FROM users STRAIGHT_JOIN posts", Dialect::Mysql), ["posts", "users"]);
}

#[test]
fn some_queries_are_not_plain() {
    for dialect in ALL {
        for text in ["SELECT * FROM users FOR UPDATE", "SELECT * FROM users FOR SHARE OF users SKIP LOCKED"] {
            assert!(!one(text, dialect).is_plain_query, "{text}");
        }
    }
    assert!(!one("SELECT * FROM users FOR NO KEY UPDATE", Dialect::Postgres).is_plain_query);
    assert!(!one("SELECT * FROM users LOCK IN SHARE MODE", Dialect::Mysql).is_plain_query);
    assert!(!one("SELECT * FROM users INTO OUTFILE 'x'", Dialect::Mysql).is_plain_query);
    assert!(one("SELECT now()", Dialect::Postgres).is_volatile);
    assert!(one("SELECT CURRENT_DATE", Dialect::Postgres).is_volatile);
    assert!(one("SELECT @x", Dialect::Mysql).is_volatile);
    assert!(one("SELECT date('now')", Dialect::Sqlite).is_volatile);
    assert!(!one("SELECT id FROM users", Dialect::Postgres).is_volatile);
    assert!(one("SELECT * FROM users WHERE a > 'today'::date", Dialect::Postgres).is_volatile);
    assert!(one("SELECT UTC_TIMESTAMP - INTERVAL 1 DAY", Dialect::Mysql).is_volatile);
    assert!(one("SELECT NEXT VALUE FOR s", Dialect::Mysql).is_volatile);
    assert!(one("SELECT * FROM users TABLESAMPLE system (1)", Dialect::Postgres).is_volatile);
}

#[test]
fn transactions_are_followed() {
    use Control::{Begin, Commit, None, Release, Rollback, RollbackTo, Savepoint};
    for dialect in ALL {
        for (text, control) in [
            ("BEGIN", Begin),
            ("BEGIN IMMEDIATE", Begin),
            ("START TRANSACTION WITH CONSISTENT SNAPSHOT", Begin),
            ("COMMIT", Commit { then_begins: false }),
            ("COMMIT AND CHAIN", Commit { then_begins: true }),
            ("COMMIT AND NO CHAIN", Commit { then_begins: false }),
            ("ROLLBACK", Rollback { then_begins: false }),
            ("ABORT", Rollback { then_begins: false }),
            ("ROLLBACK WORK AND CHAIN", Rollback { then_begins: true }),
            ("SAVEPOINT diesel_savepoint_1", Savepoint("diesel_savepoint_1".into())),
            ("RELEASE SAVEPOINT \"A\"", Release("a".into())),
            ("RELEASE a", Release("a".into())),
            ("ROLLBACK TO a", RollbackTo("a".into())),
            ("ROLLBACK TRANSACTION TO SAVEPOINT a", RollbackTo("a".into())),
            ("SELECT 1", None),
        ] {
            assert_eq!(one(text, dialect).control, control, "{text}");
        }
    }
    assert_eq!(one("END TRANSACTION", Dialect::Sqlite).control, Commit { then_begins: false });
    assert_eq!(one("COMMIT AND CHAIN NO RELEASE", Dialect::Mysql).control, Commit { then_begins: true });
    assert_eq!(one("SET autocommit = 1", Dialect::Mysql).control, Control::Autocommit);
    assert_eq!(one("SET @@autocommit = OFF", Dialect::Mysql).control, Control::NoAutocommit);
    assert_eq!(one("END", Dialect::Mysql).control, Control::MayCommit);
    assert_eq!(one("PREPARE TRANSACTION 'x'", Dialect::Postgres).control, Control::Prepare);
    assert_eq!(written("COMMIT PREPARED 'x'", Dialect::Postgres), ["?"]);
    assert_eq!(one("CREATE TABLE a (b INT)", Dialect::Mysql).control, Control::MayCommit);
    assert_eq!(one("CREATE TEMPORARY TABLE a (b INT)", Dialect::Mysql).control, None);
    assert_eq!(one("CREATE TABLE a (b INT)", Dialect::Postgres).control, None);
    assert_eq!(one("SET autocommit = 0", Dialect::Mysql).control, Control::NoAutocommit);
}

#[test]
fn a_text_may_have_several_statements_and_bodies_with_some() {
    let all = analyse("BEGIN; INSERT INTO a VALUES (';'); -- x;\n;; COMMIT;", Dialect::Sqlite, true);
    assert_eq!(all.len(), 3);
    let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN
        UPDATE b SET c = CASE WHEN d THEN 1 ELSE 2 END; DELETE FROM e; END; SELECT 1";
    let all = analyse(trigger, Dialect::Sqlite, true);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0].control, Control::None);
    let routine = "CREATE DEFINER = `a`@`b` PROCEDURE p() BEGIN IF x THEN SELECT 1; END IF;
        CASE y WHEN 1 THEN SELECT 2; END CASE; WHILE z DO SELECT 3; END WHILE; END; COMMIT";
    let all = analyse(routine, Dialect::Mysql, true);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[1].control, Control::Commit { then_begins: false });
    let all = analyse(
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN; END; $$ LANGUAGE plpgsql; SELECT 1",
        Dialect::Postgres,
        true,
    );
    assert_eq!(all.len(), 2);
}

#[test]
fn what_changes_the_session_is_noticed() {
    for text in [
        "SET search_path TO tenant",
        "SET ROLE other",
        "SET app.tenant = '7'",
        "RESET ALL",
        "SET SESSION AUTHORIZATION x",
    ] {
        assert!(one(text, Dialect::Postgres).changes_session, "{text}");
    }
    for text in [
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET LOCAL statement_timeout = 5",
        "SET client_encoding TO 'UTF8'",
    ] {
        assert!(!one(text, Dialect::Postgres).changes_session, "{text}");
    }
    assert!(one("SELECT set_config('app.tenant', '7', false)", Dialect::Postgres).changes_session);
    assert!(one("USE shop", Dialect::Mysql).changes_session);
    assert!(one("DO $$ BEGIN PERFORM set_tenant(7); END $$", Dialect::Postgres).changes_session);
    assert!(one("UPDATE pg_settings SET setting = 'b' WHERE name = 'search_path'", Dialect::Postgres).changes_session);
    assert!(one("SELECT * INTO TEMP users FROM x", Dialect::Postgres).changes_session);
    assert!(one("CREATE TABLE IF NOT EXISTS temp.users (id INT)", Dialect::Sqlite).changes_session);
    assert!(one("SET NAMES utf8mb4, sql_mode = 'ANSI'", Dialect::Mysql).changes_session);
    assert!(one("ATTACH 'x' AS y", Dialect::Sqlite).changes_session);
    assert!(one("PRAGMA case_sensitive_like = ON", Dialect::Sqlite).changes_session);
    assert!(!one("PRAGMA journal_mode = WAL", Dialect::Sqlite).changes_session);
}

#[cfg(any(feature = "sqlite", feature = "mysql-backend"))]
#[test]
fn bodies_of_triggers_write_and_views_read() {
    let within = |text: &str, dialect| match writes_within(text, dialect) {
        Writes::Tables(tables) => tables.iter().map(|name| name.to_string()).collect::<Vec<_>>(),
        Writes::Unknown => vec!["?".to_owned()],
    };
    let text =
        "CREATE TRIGGER t AFTER INSERT OR UPDATE ON a BEGIN UPDATE b SET c = 1; DELETE FROM d WHERE e = new.e; END";
    assert_eq!(within(text, Dialect::Sqlite), ["b", "d"]);
    let text = "DECLARE x int; BEGIN IF new.a THEN INSERT INTO b VALUES (1) ON CONFLICT DO UPDATE SET c = 1; END IF; RETURN new; END";
    assert_eq!(within(text, Dialect::Postgres), ["b"]);
    assert_eq!(within("BEGIN new.a := now(); RETURN new; END", Dialect::Postgres), [""; 0]);
    assert_eq!(within("BEGIN EXECUTE 'DELETE FROM a'; RETURN new; END", Dialect::Postgres), ["?"]);
    assert_eq!(within("UPDATE b SET c = 1", Dialect::Mysql), ["b"]);
    assert_eq!(
        within("BEGIN IF new.a THEN UPDATE b SET c = 1; ELSE DELETE FROM d; END IF; END", Dialect::Mysql),
        ["b", "d"]
    );
    // Wherever it stands, and whatever is declared before.
    for (text, tables) in [
        (
            "BEGIN FOR r IN DELETE FROM a RETURNING * LOOP UPDATE b SET c = r.c; END LOOP; RETURN new; END",
            vec!["a", "b"],
        ),
        ("BEGIN <<rows>> FOR r IN UPDATE a SET b = 1 RETURNING b LOOP NULL; END LOOP; RETURN new; END", vec!["a"]),
        ("BEGIN <<label>> INSERT INTO a VALUES (1); RETURN new; END", vec!["a"]),
        ("DECLARE c CURSOR FOR DELETE FROM a RETURNING *; BEGIN OPEN c; RETURN new; END", vec!["a"]),
        ("BEGIN OPEN c FOR UPDATE a SET b = 1 RETURNING b; RETURN new; END", vec!["a"]),
        ("BEGIN RETURN QUERY INSERT INTO a VALUES (1) RETURNING *; END", vec!["a"]),
        ("BEGIN SELECT * INTO r FROM a FOR UPDATE; RETURN new; END", vec![]),
        ("BEGIN FOR r IN SELECT * FROM a FOR NO KEY UPDATE LOOP DELETE FROM b; END LOOP; RETURN new; END", vec!["b"]),
        (
            "BEGIN SELECT * INTO r FROM a FOR UPDATE OF a SKIP LOCKED; x := replace(y, 'a', 'b'); RETURN new; END",
            vec![],
        ),
    ] {
        assert_eq!(within(text, Dialect::Postgres), tables, "{text}");
    }
    let text = "BEGIN IF new.a THEN UPDATE b SET c = 1; BEGIN INSERT INTO d VALUES (1) ON DUPLICATE KEY UPDATE e = 1; END; END IF; END";
    assert_eq!(within(text, Dialect::Mysql), ["b", "d"]);
    let reads = reads_of_view("CREATE VIEW v (a) AS SELECT a FROM users, (SELECT 1 FROM posts) p", Dialect::Sqlite);
    assert_eq!(reads, ["users".into(), "posts".into()] as [Name; 2]);
}
