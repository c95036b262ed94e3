//! A client of the service, over HTTP, with connections that are kept.

use std::net::SocketAddr;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::repository::{Draft, Numbers, Post, Revision};

/// No answer is larger.
const LARGEST: usize = 1 << 20;

/// One that asks one thing after the other.
pub(crate) struct Client {
    http: Http<HttpConnector, Body>,
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { http: Http::builder(TokioExecutor::new()).build_http(), address }
    }

    pub(crate) async fn newest(&self) -> Result<Vec<Post>, Error> {
        self.read("/posts").await?.ok_or_else(|| "there is no list of posts".into())
    }

    pub(crate) async fn find(&self, id: i32) -> Result<Option<Post>, Error> {
        self.read(&format!("/posts/{id}")).await
    }

    pub(crate) async fn revisions(&self, id: i32) -> Result<Vec<Revision>, Error> {
        self.read(&format!("/posts/{id}/revisions")).await?.ok_or_else(|| "there is no list of revisions".into())
    }

    pub(crate) async fn numbers(&self) -> Result<Numbers, Error> {
        self.read("/stats").await?.ok_or_else(|| "there are no statistics".into())
    }

    pub(crate) async fn create(&self, draft: &Draft) -> Result<Post, Error> {
        let answer = self.send(Method::POST, "/posts", serde_json::to_string(draft)?.into()).await?;
        Ok(serde_json::from_slice(&answer.ok_or("there is nowhere to post to")?)?)
    }

    /// Returns nothing if there is no such post.
    pub(crate) async fn update(&self, id: i32, draft: &Draft) -> Result<Option<Post>, Error> {
        let draft = serde_json::to_string(draft)?;
        let answer = self.send(Method::PUT, &format!("/posts/{id}"), draft.into()).await?;
        Ok(answer.map(|answer| serde_json::from_slice(&answer)).transpose()?)
    }

    pub(crate) async fn delete(&self, id: i32) -> Result<(), Error> {
        self.send(Method::DELETE, &format!("/posts/{id}"), Body::empty()).await?;
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Error> {
        let answer = self.send(Method::GET, path, Body::empty()).await?;
        Ok(answer.map(|answer| serde_json::from_slice(&answer)).transpose()?)
    }

    /// Returns the body of the answer; nothing, if there is nothing at this path.
    async fn send(&self, method: Method, path: &str, body: Body) -> Result<Option<Bytes>, Error> {
        let uri = format!("http://{}{path}", self.address);
        let request =
            Request::builder().method(&method).uri(uri).header(CONTENT_TYPE, "application/json").body(body)?;
        let answer = self.http.request(request).await?;
        let status = answer.status();
        let body = to_bytes(Body::new(answer.into_body()), LARGEST).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            _ if status.is_success() => Ok(Some(body)),
            _ => Err(format!("{method} {path} is answered with {status}").into()),
        }
    }
}
