//! What became of a statement, by what the connection within returned.

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error};

use crate::track::Outcome;

/// Returns what became of something, by what the connection within returned.
// Break this (take whatever is an error for a failure) and what the server does after the connection was lost is told before it is done.
pub(crate) fn outcome<R>(done: &QueryResult<R>) -> Outcome {
    match done {
        Ok(_) => Outcome::Done,
        Err(Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _)) => {
            Outcome::Unknown
        }
        Err(Error::DatabaseError(..)) => Outcome::Failed,
        Err(_) => Outcome::Unsent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_the_server_did_not_give_says_nothing_of_what_it_does() {
        let failed = |kind| outcome::<()>(&Err(Error::DatabaseError(kind, Box::new(String::new()))));
        assert_eq!(failed(DatabaseErrorKind::UnableToSendCommand), Outcome::Unknown);
        assert_eq!(failed(DatabaseErrorKind::ClosedConnection), Outcome::Unknown);
        assert_eq!(failed(DatabaseErrorKind::UniqueViolation), Outcome::Failed);
        assert_eq!(outcome::<()>(&Err(Error::AlreadyInTransaction)), Outcome::Unsent);
        assert_eq!(outcome(&Ok(())), Outcome::Done);
    }
}
