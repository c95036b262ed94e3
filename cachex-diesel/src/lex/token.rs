//! Text becomes words, names, and signs. Nothing is refused: what is no SQL becomes tokens as well.

use super::Dialect;

/// A part of a text of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword or a name without quotes.
    Word(&'a str),
    /// A name in quotes, as it stands between them: a quote in it is doubled.
    Quoted(&'a str),
    /// A string.
    Text,
    /// A name in a form that is not read: with escapes in it.
    Unreadable,
    /// A number.
    Value,
    /// The place of a bind: of this number, or of the next one. 0 is one that has a name.
    Bind(Option<u32>),
    /// `1`.
    One,
    /// A variable of the session, or one of the server's where `@` comes before.
    Variable(&'a str),
    /// `(`, `)`, `,`, `.`, `;`, `=` and all other signs, one by one.
    Sign(char),
}

impl<'a> Token<'a> {
    /// Whether it is a keyword, in whichever case.
    pub(super) fn is(self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// Whether it is one of some keywords.
    pub(super) fn is_one_of(self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(super) fn is_sign(self, sign: char) -> bool {
        self == Self::Sign(sign)
    }

    /// Returns it in small letters, if it is a word.
    pub(super) fn word(self) -> Option<super::Name> {
        match self {
            Self::Word(word) => Some(word.to_lowercase().into()),
            _ => None,
        }
    }

    /// Returns the canonical name: without quotes, in small letters. A word may be a keyword all the same.
    pub(super) fn name(self) -> Option<Box<str>> {
        match self {
            Self::Word(text) => Some(text.to_lowercase().into()),
            Self::Quoted(text) => Some(bare(text)),
            Self::Text
            | Self::Unreadable
            | Self::Value
            | Self::Bind(_)
            | Self::One
            | Self::Variable(_)
            | Self::Sign(_) => None,
        }
    }

    pub(super) fn is_name(self) -> bool {
        matches!(self, Self::Word(_) | Self::Quoted(_))
    }
}

/// Returns a name in small letters. Quotes within it are left out: how they are written depends on those around it, and it does no harm that names which
/// differ in nothing else are one.
pub(super) fn bare(name: &str) -> Box<str> {
    name.replace(['"', '`'], "").to_lowercase().into()
}

/// Returns the tokens of a text, and whether it could be read otherwise as well: as where a mode of MySQL has a backslash mean itself.
pub(super) fn tokens(text: &str, dialect: Dialect) -> (Vec<Token<'_>>, bool) {
    let mut scanner = Scanner { text, at: 0, dialect, is_in_version_comment: false, is_ambiguous: false };
    let mut tokens = Vec::with_capacity(text.len() / 4);
    while let Some(token) = scanner.next() {
        tokens.push(token);
    }
    (tokens, scanner.is_ambiguous)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    /// Within `/*! … */`, which MySQL takes for code.
    is_in_version_comment: bool,
    is_ambiguous: bool,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.skip_blank();
            let rest = self.rest();
            let first = rest.chars().next()?;
            let is_mysql = self.dialect == Dialect::Mysql;
            match first {
                '-' if self.is_line_comment() => self.skip_line(),
                '#' if is_mysql => self.skip_line(),
                '/' if is_mysql && (rest.starts_with("/*!") || rest.starts_with("/*M!")) => {
                    self.enter_version_comment()
                }
                '*' if self.is_in_version_comment && rest.starts_with("*/") => {
                    self.is_in_version_comment = false;
                    self.at += 2;
                }
                '/' if rest.starts_with("/*") => self.skip_comment(),
                _ => return Some(self.token(first)),
            }
        }
    }

    fn token(&mut self, first: char) -> Token<'a> {
        let is_mysql = self.dialect == Dialect::Mysql;
        match first {
            '\'' => self.text_in('\'', is_mysql),
            // A string in MySQL, unless its mode says otherwise: then it is a name, and what is one may be a table.
            '"' => self.quoted('"', '"', is_mysql),
            '`' => self.quoted('`', '`', false),
            // A name in SQLite; in PostgreSQL the index of an array.
            '[' if self.dialect == Dialect::Sqlite => self.quoted('[', ']', false),
            '$' if self.dialect == Dialect::Postgres => self.dollar(),
            _ if first.is_ascii_digit() => self.number(),
            '$' if is_mysql => self.word(),
            '@' if self.dialect == Dialect::Postgres => {
                self.at += 1;
                Token::Sign(first)
            }
            '?' => self.question(),
            ':' | '@' | '$' => self.bind(first),
            _ if is_of_word(first) => self.word(),
            _ => {
                self.at += first.len_utf8();
                Token::Sign(first)
            }
        }
    }

    fn skip_blank(&mut self) {
        // SQL knows fewer signs as blank than Unicode: what is taken for blank too much ends a word, as it does there.
        self.skip_while(|sign| sign.is_whitespace() || sign == '\u{feff}' || sign == '\0');
    }

    fn skip_while(&mut self, is_meant: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|sign| !is_meant(sign)).unwrap_or(rest.len());
    }

    /// `--`; in MySQL only before a blank, for elsewhere it is "minus minus".
    fn is_line_comment(&self) -> bool {
        let Some(after) = self.rest().strip_prefix("--") else { return false };
        self.dialect != Dialect::Mysql
            || after.chars().next().is_none_or(|sign| sign.is_whitespace() || sign.is_control())
    }

    fn skip_line(&mut self) {
        let is_postgres = self.dialect == Dialect::Postgres;
        self.skip_while(|sign| sign != '\n' && !(sign == '\r' && is_postgres));
    }

    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") && (depth == 0 || self.dialect == Dialect::Postgres) {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                let Some(sign) = rest.chars().next() else { return };
                self.at += sign.len_utf8();
            }
        }
    }

    /// `/*!50100 …`; MariaDB's own begin with `/*M!`.
    fn enter_version_comment(&mut self) {
        self.at += if self.rest().starts_with("/*M") { 4 } else { 3 };
        self.skip_while(|sign| sign.is_ascii_digit());
        self.is_in_version_comment = true;
    }

    fn text_in(&mut self, quote: char, has_escapes: bool) -> Token<'a> {
        self.skip_quoted(quote, has_escapes);
        Token::Text
    }

    fn quoted(&mut self, quote: char, end: char, has_escapes: bool) -> Token<'a> {
        let from = self.at + quote.len_utf8();
        self.skip_quoted(end, has_escapes);
        let to = if self.text[..self.at].ends_with(end) && self.at > from { self.at - end.len_utf8() } else { self.at };
        Token::Quoted(&self.text[from..to.max(from)])
    }

    /// Goes on after the end of what begins here; a doubled end is a part of it.
    fn skip_quoted(&mut self, end: char, has_escapes: bool) {
        let mut signs = self.rest().char_indices().skip(1).peekable();
        while let Some((at, sign)) = signs.next() {
            if sign == '\\' && has_escapes {
                let hidden = signs.next();
                self.is_ambiguous |= self.dialect == Dialect::Mysql && hidden.is_none_or(|(_, next)| next == end);
            } else if sign == end && signs.next_if(|(_, next)| *next == end).is_none() {
                self.at += at + end.len_utf8();
                return;
            }
        }
        self.at = self.text.len();
    }

    /// `$1`, `$tag$ … $tag$`.
    fn dollar(&mut self) -> Token<'a> {
        let rest = self.rest();
        let after = &rest[1..];
        let length = after.find(|sign| !is_of_word(sign) || sign == '$').unwrap_or(after.len());
        let begins_well = !after.starts_with(|sign: char| sign.is_ascii_digit());
        if begins_well && after[length..].starts_with('$') {
            let tag = &rest[..length + 2];
            let body = &rest[tag.len()..];
            self.at += tag.len() + body.find(tag).map_or(body.len(), |end| end + tag.len());
            return Token::Text;
        }
        self.at += 1 + length;
        // What begins with a digit and goes on otherwise is a number, and a name behind it.
        after[..length].parse().map_or(Token::Value, |number| Token::Bind(Some(number)))
    }

    /// `1`, `1.5e3`, `0xff`. In MySQL a name may begin with a digit; elsewhere what follows is a token of its own.
    fn number(&mut self) -> Token<'a> {
        let from = self.at;
        let is_digit = |sign: char| sign.is_ascii_digit() || sign == '_';
        if self.rest().len() > 1 && matches!(&self.rest().as_bytes()[..2], b"0x" | b"0X") {
            self.skip_while(|sign| sign.is_ascii_hexdigit());
            self.at += 1;
            self.skip_while(|sign| sign.is_ascii_hexdigit());
        }
        self.skip_while(is_digit);
        let is_whole = !self.rest().starts_with('.');
        if !is_whole {
            self.at += 1;
            self.skip_while(is_digit);
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.starts_with(|sign: char| sign.is_ascii_digit()) {
                self.at += self.rest().len() - digits.len();
                self.skip_while(is_digit);
            }
        }
        if self.dialect == Dialect::Mysql && is_whole && self.rest().starts_with(is_of_word) {
            self.skip_while(is_of_word);
            return Token::Word(&self.text[from..self.at]);
        }
        if &self.text[from..self.at] == "1" { Token::One } else { Token::Value }
    }

    /// `?`, `?1`.
    fn question(&mut self) -> Token<'a> {
        self.at += 1;
        let from = self.at;
        self.skip_while(|sign| sign.is_ascii_digit());
        match &self.text[from..self.at] {
            // In PostgreSQL it is an operator.
            _ if self.dialect == Dialect::Postgres => Token::Value,
            "" => Token::Bind(None),
            // One that is too large is none that has a place.
            number => Token::Bind(Some(number.parse().unwrap_or(0))),
        }
    }

    /// `:name`, `@name`; signs, where no name follows.
    fn bind(&mut self, first: char) -> Token<'a> {
        self.at += 1;
        let from = self.at;
        self.skip_while(|sign| is_of_word(sign) && sign != '$');
        if self.at == from {
            return Token::Sign(first);
        }
        // `a::text` is a cast: what follows is a name that hides nothing.
        let is_variable = first == '@' && self.dialect == Dialect::Mysql;
        match self.dialect {
            _ if is_variable => Token::Variable(&self.text[from..self.at]),
            Dialect::Sqlite => Token::Bind(Some(0)),
            Dialect::Postgres | Dialect::Mysql => Token::Value,
        }
    }

    fn word(&mut self) -> Token<'a> {
        let from = self.at;
        self.skip_while(is_of_word);
        let word = &self.text[from..self.at];
        // U&"…": what it says may be written in escapes.
        if self.dialect == Dialect::Postgres && word.eq_ignore_ascii_case("u") {
            if self.rest().starts_with("&\"") {
                self.at += 1;
                self.skip_quoted('"', false);
                return Token::Unreadable;
            }
            if self.rest().starts_with("&'") {
                self.at += 1;
                return self.text_in('\'', false);
            }
        }
        // E'…' knows escapes, and so may what begins with another letter.
        let is_prefix = self.rest().starts_with('\'') && matches!(word, "e" | "E" | "n" | "N" | "b" | "B" | "x" | "X");
        if is_prefix {
            let has_escapes = self.dialect == Dialect::Mysql || word.eq_ignore_ascii_case("e");
            return self.text_in('\'', has_escapes);
        }
        Token::Word(word)
    }
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_' || sign == '$' || (!sign.is_ascii() && !sign.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::Token::{Bind, Quoted, Sign, Text, Value, Word};
    use super::*;

    fn of(text: &str, dialect: Dialect) -> Vec<Token<'_>> {
        tokens(text, dialect).0
    }

    #[test]
    fn numbers_end_where_words_begin_and_some_names_begin_with_digits() {
        assert_eq!(of("SELECT 1.0FROM users", Dialect::Mysql), [Word("SELECT"), Value, Word("FROM"), Word("users")]);
        assert_eq!(of("2fa $x 1e3 0xff 5", Dialect::Mysql), [Word("2fa"), Word("$x"), Value, Value, Value]);
        assert_eq!(of("?1FROM :a", Dialect::Sqlite), [Bind(Some(1)), Word("FROM"), Bind(Some(0))]);
        assert_eq!(of("$2FROM ?", Dialect::Postgres), [Value, Value]);
        assert_eq!(of("$2 FROM ?", Dialect::Postgres), [Bind(Some(2)), Word("FROM"), Value]);
        assert_eq!(of("id=?FOR", Dialect::Mysql), [Word("id"), Sign('='), Bind(None), Word("FOR")]);
        assert_eq!(of("U&\"us\\0065rs\" a", Dialect::Postgres), [Token::Unreadable, Word("a")]);
        assert_eq!(of("x = @random()", Dialect::Postgres)[3], Word("random"));
        assert!(tokens(r"'\' a '", Dialect::Mysql).1 && !tokens(r"'\n'", Dialect::Mysql).1);
        assert_eq!(of("-- x\r'\nDELETE", Dialect::Sqlite), [Word("DELETE")]);
    }

    #[test]
    fn words_names_and_signs_are_told_apart() {
        let expected = |bind| {
            [Word("SELECT"), Quoted("a"), Sign('.'), Quoted("b"), Sign(','), Bind(bind), Word("FROM"), Word("t")]
        };
        assert_eq!(of("SELECT \"a\".\"b\", $1 FROM t", Dialect::Postgres), expected(Some(1)));
        assert_eq!(of("SELECT `a`.`b`, ? FROM t", Dialect::Mysql), expected(None));
        assert_eq!(of("SELECT [a].[b], ?1 FROM t", Dialect::Sqlite), expected(Some(1)));
    }

    #[test]
    fn what_stands_in_strings_and_comments_is_no_code() {
        let all = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];
        for dialect in all {
            assert_eq!(of("a 'it''s; DROP' b", dialect), [Word("a"), Text, Word("b")], "{dialect:?}");
            assert_eq!(of("a -- DROP ' \n b", dialect), [Word("a"), Word("b")], "{dialect:?}");
            assert_eq!(of("a /* DROP ' */ b", dialect), [Word("a"), Word("b")], "{dialect:?}");
        }
        assert_eq!(of("a $x$ DROP $$ ' $x$ b $$'$$", Dialect::Postgres), [Word("a"), Text, Word("b"), Text]);
        assert_eq!(of(r"a E'\'; DROP' b", Dialect::Postgres), [Word("a"), Text, Word("b")]);
        assert_eq!(of(r"a '\' b", Dialect::Postgres), [Word("a"), Text, Word("b")]);
        assert_eq!(of(r"a '\'; DROP' b", Dialect::Mysql), [Word("a"), Text, Word("b")]);
        assert_eq!(of("a /* /* */ DROP */ b", Dialect::Postgres), [Word("a"), Word("b")]);
        assert_eq!(of("a # DROP\n b", Dialect::Mysql), [Word("a"), Word("b")]);
    }

    #[test]
    fn what_looks_like_a_comment_may_be_code() {
        assert_eq!(of("/*!50001 DELETE */ a", Dialect::Mysql), [Word("DELETE"), Word("a")]);
        assert_eq!(of("/*M!100100 DELETE*/ a", Dialect::Mysql), [Word("DELETE"), Word("a")]);
        assert_eq!(of("5--2", Dialect::Mysql), [Value, Sign('-'), Sign('-'), Value]);
        assert_eq!(of("a /* /* */ DROP", Dialect::Sqlite), [Word("a"), Word("DROP")]);
    }

    #[test]
    fn what_does_not_end_goes_to_the_end() {
        for text in ["'a", "\"a", "`a", "/* a", "$$ a", "[a", "'a''", "\"", "'", "$x", "/*!", "\"\\"] {
            for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
                assert!(of(text, dialect).len() <= 3, "{text} {dialect:?}");
            }
        }
    }

    #[test]
    fn names_are_one_whatever_their_quotes_and_letters() {
        let name = |text, dialect| of(text, dialect)[0].name().unwrap();
        assert_eq!(&*name("Users", Dialect::Postgres), "users");
        assert_eq!(&*name("\"Users\"", Dialect::Postgres), "users");
        assert_eq!(&*name("`a``B`", Dialect::Mysql), "ab");
        assert_eq!(&*name("ÄPFEL", Dialect::Sqlite), "äpfel");
    }
}
