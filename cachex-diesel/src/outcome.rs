//! What became of a statement, by what the connection within returned.

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error};

use crate::lex::Dialect;
use crate::track::Outcome;

/// How errors of MySQL begin that the server has not sent: those of `libmysqlclient` and of MariaDB's connector, that may come once a statement is sent, and all of `mysql_async`.
///
/// Diesel says neither their numbers nor their kind. They are always in English, and nothing that these servers say of their own begins like that.
const OF_MYSQL_CLIENTS: [&str; 18] = [
    "Lost connection to ",
    "MySQL server has gone away",
    "Server has gone away",
    "Server returned an error packet without further information",
    "Commands out of sync",
    "Malformed packet",
    "Received malformed packet",
    "Got packet bigger than 'max_allowed_packet'",
    "Error while uncompressing packet",
    "MySQL client ran out of memory",
    "Client run out of memory",
    "SSL connection error",
    "TLS/SSL error",
    "Unknown MySQL error",
    "Unknown or undefined error code",
    "Driver error: ",
    "Input/output error: ",
    "Other error: ",
];

/// Returns what became of something, by what the connection within returned.
pub(crate) fn outcome<R>(dialect: Dialect, done: &QueryResult<R>) -> Outcome {
    done.as_ref().err().map_or(Outcome::Done, |error| of_error(dialect, error))
}

// Break this (take whatever is an error for a failure) and what the server does after the connection was lost is told before it is done.
pub(crate) fn of_error(dialect: Dialect, error: &Error) -> Outcome {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _) => {
            Outcome::Unknown
        }
        Error::DatabaseError(DatabaseErrorKind::Unknown, told)
            if dialect == Dialect::Mysql && OF_MYSQL_CLIENTS.iter().any(|begin| told.message().starts_with(begin)) =>
        {
            Outcome::Unknown
        }
        Error::DatabaseError(..) => Outcome::Failed,
        // It is about the commit: that this is not undone either says nothing more of it.
        Error::RollbackErrorOnCommit { commit_error, .. } => of_error(dialect, commit_error),
        _ => Outcome::Unsent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(dialect: Dialect, kind: DatabaseErrorKind, text: &str) -> Outcome {
        outcome::<()>(dialect, &Err(Error::DatabaseError(kind, Box::new(text.to_owned()))))
    }

    #[test]
    fn an_error_that_the_server_did_not_give_says_nothing_of_what_it_does() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
            assert_eq!(failed(dialect, DatabaseErrorKind::UnableToSendCommand, ""), Outcome::Unknown);
            assert_eq!(failed(dialect, DatabaseErrorKind::ClosedConnection, ""), Outcome::Unknown);
            assert_eq!(failed(dialect, DatabaseErrorKind::UniqueViolation, ""), Outcome::Failed);
            assert_eq!(outcome::<()>(dialect, &Err(Error::AlreadyInTransaction)), Outcome::Unsent);
            assert_eq!(outcome(dialect, &Ok(())), Outcome::Done);
        }
    }

    #[test]
    fn of_a_commit_that_could_not_be_rolled_back_either_its_own_error_counts() {
        let error = |kind| Box::new(Error::DatabaseError(kind, Box::new(String::new())));
        for (kind, expected) in [
            (DatabaseErrorKind::ClosedConnection, Outcome::Unknown),
            (DatabaseErrorKind::CheckViolation, Outcome::Failed),
        ] {
            let (commit_error, rollback_error) = (error(kind), error(DatabaseErrorKind::Unknown));
            let done = Err(Error::RollbackErrorOnCommit { rollback_error, commit_error });
            assert_eq!(outcome::<()>(Dialect::Postgres, &done), expected);
        }
    }

    #[test]
    fn what_clients_of_mysql_say_is_no_answer_of_the_server() {
        for text in [
            "Lost connection to MySQL server during query",
            "Lost connection to server during query",
            "Lost connection to server at 'reading', system error: 104",
            "MySQL server has gone away",
            "Server has gone away",
            "Input/output error: Input/output error: Connection reset by peer (os error 104)",
            "Driver error: `Connection to the server is closed.'",
        ] {
            assert_eq!(failed(Dialect::Mysql, DatabaseErrorKind::Unknown, text), Outcome::Unknown, "{text}");
        }
        for text in [
            "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version",
            "Table 'tests.oops' doesn't exist",
            "Lock wait timeout exceeded; try restarting transaction",
            "Query execution was interrupted",
            "Got a packet bigger than 'max_allowed_packet' bytes",
        ] {
            assert_eq!(failed(Dialect::Mysql, DatabaseErrorKind::Unknown, text), Outcome::Failed, "{text}");
        }
    }
}
