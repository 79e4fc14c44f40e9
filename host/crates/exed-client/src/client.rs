//! The calls.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, Url, header};
use serde::de::DeserializeOwned;

use crate::error::ClientError;
use crate::wire::{Canceled, Host, HostPage, Job, NewJob, Operation, Page, Plugin, PluginList, Problem};

/// A client of one server; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
}

/// Which hosts to list.
#[derive(Clone, Debug, Default)]
pub struct HostQuery {
    /// Every host if absent.
    pub pattern: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only these states, separated by commas.
    pub state: Option<String>,
    /// Only this operation.
    pub operation: Option<String>,
    /// At most this many, from 1 to 1000.
    pub limit: Option<usize>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

type Answer<T> = Result<T, ClientError>;

impl Client {
    /// A client of the server at `address`, such as `http://127.0.0.1:16808`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::Address`].
    pub fn new(address: &str) -> Answer<Self> {
        let wrong = || ClientError::Address { address: address.to_owned() };
        let base = Url::parse(address).map_err(|_| wrong())?;
        if base.scheme() != "http" || base.host_str().is_none() {
            return Err(wrong());
        }
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).no_proxy().build();
        Ok(Self { base, http: http.map_err(|_| wrong())? })
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A page of hosts.
    ///
    /// # Errors
    /// [`ClientError`], as every call.
    pub async fn hosts(&self, query: &HostQuery) -> Answer<HostPage> {
        let pairs = [("pattern", query.pattern.clone()), ("after", query.after.clone())];
        let pairs = given(&pairs).chain([("limit", "1000".to_owned())]).collect::<Vec<_>>();
        self.json(self.request(Method::GET, &["hosts"]).query(&pairs)).await
    }

    /// One host.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn host(&self, name: &str) -> Answer<Host> {
        self.json(self.request(Method::GET, &["hosts", name])).await
    }

    /// Submits a job. `key` makes a repetition harmless: the server answers with the first job.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn submit(&self, job: &NewJob, key: Option<&str>) -> Answer<Job> {
        let mut request = self.request(Method::POST, &["jobs"]).json(job);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.json(request).await
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn jobs(&self, filter: &JobFilter) -> Answer<Page<Job>> {
        let pairs = [
            ("state", filter.state.clone()),
            ("operation", filter.operation.clone()),
            ("limit", filter.limit.map(|limit| limit.to_string())),
            ("after", filter.after.clone()),
        ];
        let pairs: Vec<_> = given(&pairs).collect();
        self.json(self.request(Method::GET, &["jobs"]).query(&pairs)).await
    }

    /// One job, by id or alias, with its results.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn job(&self, id: &str) -> Answer<Job> {
        self.json(self.request(Method::GET, &["jobs", id])).await
    }

    /// Stops a job.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel(&self, id: &str) -> Answer<Canceled> {
        self.json(self.request(Method::POST, &["jobs", id, "cancel"])).await
    }

    /// Removes a job that has ended.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete(&self, id: &str) -> Answer<()> {
        self.send(self.request(Method::DELETE, &["jobs", id])).await.map(drop)
    }

    /// Loaded plugins and refused files.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn plugins(&self) -> Answer<PluginList> {
        self.json(self.request(Method::GET, &["plugins"])).await
    }

    /// Installs a component; it is active when this returns.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn install(&self, component: Bytes) -> Answer<Plugin> {
        let request = self.request(Method::POST, &["plugins"]).body(component);
        self.json(request.header(header::CONTENT_TYPE, "application/wasm")).await
    }

    /// Makes the version before the active one active again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rollback(&self, name: &str) -> Answer<Plugin> {
        self.json(self.request(Method::POST, &["plugins", name, "rollback"])).await
    }

    /// Removes a plugin's file.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn remove(&self, name: &str) -> Answer<()> {
        self.send(self.request(Method::DELETE, &["plugins", name])).await.map(drop)
    }

    /// Every operation.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn operations(&self) -> Answer<Page<Operation>> {
        self.json(self.request(Method::GET, &["operations"])).await
    }

    /// Opens the event stream of a job after an event.
    pub(crate) async fn open_events(&self, job: &str, after: u64) -> Answer<Response> {
        let mut request = self.request(Method::GET, &["jobs", job, "events"]);
        request = request.header(header::ACCEPT, "text/event-stream");
        if after > 0 {
            request = request.header("last-event-id", after);
        }
        self.send(request).await
    }

    pub(crate) fn broken(&self, source: reqwest::Error) -> ClientError {
        ClientError::Connection { server: self.server().to_owned(), source }
    }

    /// A request whose path segments are encoded one by one.
    fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v1"]).extend(segments);
        }
        self.http.request(method, url)
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Answer<T> {
        let response = self.send(request).await?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|source| self.broken(source))?;
        serde_json::from_slice(&body).map_err(|_| self.not_exed(status, &body))
    }

    async fn send(&self, request: RequestBuilder) -> Answer<Response> {
        let response = request.send().await.map_err(|source| {
            if source.is_connect() {
                ClientError::NotRunning { server: self.server().to_owned(), source }
            } else {
                self.broken(source)
            }
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|source| self.broken(source))?;
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(ClientError::Refused(Box::new(problem))),
            Err(_) => Err(self.not_exed(status, &body)),
        }
    }

    fn not_exed(&self, status: u16, body: &[u8]) -> ClientError {
        let excerpt = String::from_utf8_lossy(body).chars().take(200).collect();
        ClientError::NotExed { server: self.server().to_owned(), status, excerpt }
    }
}

fn given<'a>(
    pairs: &'a [(&'static str, Option<String>)],
) -> impl Iterator<Item = (&'static str, String)> + 'a {
    pairs.iter().filter_map(|(name, value)| Some((*name, value.clone()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_and_addresses_checked() {
        let client = Client::new("http://127.0.0.1:1/").unwrap();
        let request = client.request(Method::GET, &["hosts", "a/b ?"]).build().unwrap();
        assert_eq!(request.url().as_str(), "http://127.0.0.1:1/api/v1/hosts/a%2Fb%20%3F");
        assert_eq!(client.server(), "http://127.0.0.1:1");
        assert!(Client::new("127.0.0.1:16808").is_err());
        assert!(Client::new("ftp://x").is_err());
    }
}
