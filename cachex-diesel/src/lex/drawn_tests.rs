//! Statements that tests make up, from a small grammar and a tape of bytes that says which way to go: so what fails becomes small.

use std::collections::BTreeSet;

use super::Dialect;

/// Writes a statement.
pub(super) struct Draw<'a> {
    tape: &'a [u8],
    dialect: Dialect,
    /// How much may still be nested.
    depth: usize,
    pub(super) text: String,
    /// What it writes, for certain.
    pub(super) written: BTreeSet<String>,
    /// What it reads, for certain.
    pub(super) read: BTreeSet<String>,
}

/// Names that need no quotes.
const PLAIN: [&str; 8] = ["users", "posts", "order_items", "T1", "_x", "Straße", "replacements", "from_2024"];

/// Names that do.
const ODD: [&str; 8] = ["order details", "select", "FROM", "a.b", "2fa", "it's", "x--y", "/*z*/"];

impl<'a> Draw<'a> {
    pub(super) fn new(tape: &'a [u8], dialect: Dialect) -> Self {
        let (written, read) = (BTreeSet::new(), BTreeSet::new());
        Self { tape, dialect, depth: 4, text: String::new(), written, read }
    }

    /// Says which of so many ways to go; the first, when the tape is at its end.
    fn pick(&mut self, of: u8) -> u8 {
        let Some((first, rest)) = self.tape.split_first() else { return 0 };
        self.tape = rest;
        first % of
    }

    fn one_in(&mut self, of: u8) -> bool {
        self.pick(of) == of - 1
    }

    fn is(&self, dialect: Dialect) -> bool {
        self.dialect == dialect
    }

    /// Writes words, with what may stand between words.
    fn put(&mut self, words: &str) {
        for word in words.split(' ') {
            let word = if self.one_in(5) { word.to_lowercase() } else { word.to_owned() };
            self.text.push_str(&word);
            self.blank();
        }
    }

    fn put_one_of(&mut self, all: &[&str]) {
        let which = self.pick(all.len() as u8);
        self.put(all[usize::from(which)]);
    }

    fn put_as_it_is(&mut self, text: &str) {
        self.text.push_str(text);
        self.blank();
    }

    fn blank(&mut self) {
        let blank = match self.pick(16) {
            12 => "\n\t",
            13 => " /* FROM nobody; ' */ ",
            14 => " -- INSERT INTO nobody \"\n",
            15 if self.is(Dialect::Postgres) => " /* a /* b */ FROM nobody */ ",
            15 if self.is(Dialect::Mysql) => " # FROM nobody '\n",
            _ => " ",
        };
        self.text.push_str(blank);
    }

    /// Writes the name of a table. Returns it.
    fn table(&mut self) -> String {
        if self.one_in(6) {
            self.text.push_str("main.");
        }
        let is_odd = self.one_in(4);
        let names = if is_odd { &ODD } else { &PLAIN };
        let name = names[usize::from(self.pick(8))];
        let dialect = self.dialect;
        let quotes = match dialect {
            _ if !is_odd && self.pick(3) > 0 => None,
            Dialect::Mysql => Some(('`', '`')),
            Dialect::Sqlite if self.one_in(3) => Some(('[', ']')),
            Dialect::Sqlite if self.one_in(3) => Some(('`', '`')),
            _ => Some(('"', '"')),
        };
        match quotes {
            None => self.text.push_str(name),
            Some((open, close)) => self.text.push_str(&format!("{open}{name}{close}")),
        }
        self.blank();
        name.to_lowercase()
    }

    fn read_table(&mut self) {
        let name = self.table();
        self.read.insert(name);
        if self.one_in(3) {
            self.put("AS a");
        }
    }

    fn written_table(&mut self) {
        let name = self.table();
        self.written.insert(name);
    }

    /// Does something one level deeper, or the simplest thing.
    fn deeper(&mut self, work: impl FnOnce(&mut Self), else_: &str) {
        if self.depth == 0 {
            return self.put(else_);
        }
        self.depth -= 1;
        work(self);
        self.depth += 1;
    }

    /// Draws a statement.
    pub(super) fn statement(&mut self) {
        match self.pick(6) {
            0 | 1 => self.query(),
            2 => self.insert(),
            3 => self.update(),
            4 => self.delete(),
            _ if self.is(Dialect::Postgres) => self.merge(),
            _ => self.query(),
        }
    }

    pub(super) fn query(&mut self) {
        if self.one_in(4) {
            self.put("WITH c AS (");
            match self.pick(3) {
                1 if self.is(Dialect::Postgres) => self.changed_part(),
                _ => self.deeper(Self::select, "SELECT 1"),
            }
            self.put(")");
        }
        self.select();
        if self.one_in(4) {
            self.put_one_of(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
            self.select();
        }
        if self.one_in(4) {
            self.put("ORDER BY 1 , 2 LIMIT 3");
        }
    }

    /// What PostgreSQL can write within a query.
    fn changed_part(&mut self) {
        let work = match self.pick(3) {
            0 => Self::insert,
            1 => Self::update,
            _ => Self::delete,
        };
        work(self);
        if !self.text.to_lowercase().trim_end().ends_with("returning *") {
            self.put("RETURNING *");
        }
    }

    fn select(&mut self) {
        self.put("SELECT");
        if self.one_in(5) {
            self.put("DISTINCT");
        }
        self.expression();
        if self.one_in(3) {
            self.put(",");
            self.expression();
            self.put("AS b");
        }
        self.put("FROM");
        self.source();
        while self.one_in(4) {
            self.put(",");
            self.source();
        }
        self.condition();
        if self.one_in(5) {
            self.put("GROUP BY a , b HAVING count(*) > 1");
        }
    }

    fn condition(&mut self) {
        if self.one_in(2) {
            self.put("WHERE");
            self.expression();
            while self.one_in(3) {
                self.put_one_of(&["AND", "OR"]);
                self.expression();
            }
        }
    }

    /// What stands after `FROM`.
    fn source(&mut self) {
        match self.pick(8) {
            6 => {
                self.put("(");
                self.deeper(Self::select, "SELECT 1");
                self.put(") AS d");
            }
            7 if !self.is(Dialect::Mysql) => {
                self.put("(");
                self.read_table();
                self.put("JOIN");
                self.read_table();
                self.put("ON a = b )");
            }
            _ => self.read_table(),
        }
        if self.one_in(3) {
            self.put_one_of(&["JOIN", "LEFT JOIN", "CROSS JOIN", "INNER JOIN"]);
            self.read_table();
            if self.one_in(2) {
                self.put("USING ( id )");
            } else {
                self.put("ON");
                self.expression();
            }
        }
    }

    fn expression(&mut self) {
        match self.pick(14) {
            1 => self.put("u.name"),
            2 => self.put_as_it_is("'it''s; FROM nobody -- '"),
            3 if self.is(Dialect::Postgres) => self.put("$1"),
            3 => self.put("?"),
            4 => self.put("count( * )"),
            5 => self.put("CASE WHEN a THEN 1 ELSE b END"),
            6 => self.put("CAST( a AS CHAR )"),
            7 => self.within("(", ")"),
            8 => self.within("EXISTS (", ")"),
            9 => self.within("a IN (", ")"),
            10 => self.put("replace( a , 'b' , 'c' )"),
            11 if !self.is(Dialect::Sqlite) => self.put("extract( year FROM a )"),
            12 if self.is(Dialect::Postgres) => self.put("a IS DISTINCT FROM b"),
            13 if self.is(Dialect::Postgres) => self.put_as_it_is("$x$ FROM nobody ' $x$"),
            13 if self.is(Dialect::Mysql) => self.put_as_it_is(r"'\n FROM nobody'"),
            _ => self.put("1"),
        }
    }

    fn within(&mut self, open: &str, close: &str) {
        self.put(open);
        self.deeper(Self::select, "SELECT 1");
        self.put(close);
    }

    fn insert(&mut self) {
        let dialect = self.dialect;
        match dialect {
            Dialect::Sqlite if self.one_in(3) => self.put("INSERT OR IGNORE INTO"),
            Dialect::Mysql if self.one_in(3) => self.put("INSERT IGNORE INTO"),
            Dialect::Mysql | Dialect::Sqlite if self.one_in(4) => self.put("REPLACE INTO"),
            _ => self.put("INSERT INTO"),
        }
        self.written_table();
        self.put("( a , b )");
        if self.one_in(3) {
            self.select();
        } else {
            self.put("VALUES ( 1 ,");
            self.expression();
            self.put(")");
        }
        match dialect {
            Dialect::Mysql if self.one_in(3) => self.put("ON DUPLICATE KEY UPDATE a = 1"),
            Dialect::Postgres if self.one_in(3) => self.put("ON CONFLICT ( a ) DO UPDATE SET b = 1"),
            _ => {}
        }
        self.returning();
    }

    fn update(&mut self) {
        self.put("UPDATE");
        self.written_table();
        if self.is(Dialect::Mysql) && self.one_in(3) {
            self.put("JOIN");
            self.read_table();
            self.put("ON a = b");
        }
        self.put("SET a =");
        self.expression();
        if !self.is(Dialect::Mysql) && self.one_in(3) {
            self.put("FROM");
            self.source();
        }
        self.condition();
        self.returning();
    }

    fn delete(&mut self) {
        self.put("DELETE FROM");
        self.written_table();
        if self.is(Dialect::Postgres) && self.one_in(3) {
            self.put("USING");
            self.read_table();
        }
        self.condition();
        self.returning();
    }

    fn merge(&mut self) {
        self.put("MERGE INTO");
        self.written_table();
        self.put("USING");
        self.read_table();
        self.put("ON a = b WHEN MATCHED THEN UPDATE SET c = 1 WHEN NOT MATCHED THEN INSERT ( a ) VALUES ( 1 )");
    }

    fn returning(&mut self) {
        if !self.is(Dialect::Mysql) && self.one_in(3) {
            self.put("RETURNING *");
        }
    }
}
