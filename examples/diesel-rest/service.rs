//! The posts over HTTP.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use crate::Error;
use crate::repository::{Draft, Numbers, Post, Posts, Revision};

/// Serves until it is told to end, and then answers what it was asked before.
pub(crate) async fn serve(
    listener: TcpListener,
    posts: Posts,
    until: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, routes(posts)).with_graceful_shutdown(until).await
}

fn routes(posts: Posts) -> Router {
    Router::new()
        .route("/posts", get(list).post(create))
        .route("/posts/{id}", get(find).put(update).delete(delete))
        .route("/posts/{id}/revisions", get(revisions))
        .route("/stats", get(stats))
        .with_state(posts)
}

async fn list(State(posts): State<Posts>) -> Result<Json<Arc<[Post]>>, Failure> {
    Ok(Json(posts.newest().await?))
}

async fn find(State(posts): State<Posts>, Path(id): Path<i32>) -> Result<Json<Post>, Failure> {
    posts.find(id).await?.map(Json).ok_or(Failure::NotFound)
}

async fn revisions(State(posts): State<Posts>, Path(id): Path<i32>) -> Result<Json<Arc<[Revision]>>, Failure> {
    Ok(Json(posts.revisions(id).await?))
}

async fn create(State(posts): State<Posts>, Json(draft): Json<Draft>) -> Result<(StatusCode, Json<Post>), Failure> {
    Ok((StatusCode::CREATED, Json(posts.create(draft).await?)))
}

async fn update(
    State(posts): State<Posts>,
    Path(id): Path<i32>,
    Json(draft): Json<Draft>,
) -> Result<Json<Post>, Failure> {
    posts.update(id, draft).await?.map(Json).ok_or(Failure::NotFound)
}

async fn delete(State(posts): State<Posts>, Path(id): Path<i32>) -> Result<StatusCode, Failure> {
    match posts.delete(id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::NotFound),
    }
}

async fn stats(State(posts): State<Posts>) -> Json<Numbers> {
    Json(posts.numbers())
}

/// Why a request has no other answer.
enum Failure {
    NotFound,
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Failed(error) => {
                // For whoever runs the service: an error of a database tells more than clients are to know.
                eprintln!("a request failed: {error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
