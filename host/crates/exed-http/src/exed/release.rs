//! `GET /release` and `POST /release`. A plugin that handles a type offers the operation `release/<type>`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use exed_domain::FieldError;
use serde_json::{Value, json};

use super::error::ExedError;
use super::input::{Operate, asynchronous};
use super::operate::{created, read_fields};
use super::quirks::RELEASE_PREFIX;
use crate::router::Api;

/// The loaded types with the plugin of each.
pub(super) async fn list(State(api): State<Api>) -> Json<Vec<Value>> {
    let shown = |(kind, name): (String, String)| json!({"type": kind, "name": name});
    Json(types(&api).into_iter().map(shown).collect())
}

/// Releases, rolls back, or gathers the revision.
pub(super) async fn submit(State(api): State<Api>, body: Body) -> Result<Response, ExedError> {
    let request = asynchronous(Operate::Release, &read_fields(&api, body).await?)?;
    let wanted = request.operation.strip_prefix(RELEASE_PREFIX).unwrap_or_default();
    let types = types(&api);
    if !types.iter().any(|(kind, _)| kind == wanted) {
        return Err(unknown_type(wanted, &types).into());
    }
    created(&api, request).await
}

/// Type and plugin name of every loaded release operation.
fn types(api: &Api) -> Vec<(String, String)> {
    let operations = api.services().plugins.operations();
    let release =
        |(operation, plugin): (exed_domain::plugin::OperationInfo, exed_domain::plugin::PluginUse)| {
            Some((operation.name.strip_prefix(RELEASE_PREFIX)?.to_owned(), plugin.name))
        };
    operations.into_iter().filter_map(release).collect()
}

fn unknown_type(wanted: &str, types: &[(String, String)]) -> FieldError {
    let loaded = if types.is_empty() {
        "no release plugin is loaded".to_owned()
    } else {
        let names: Vec<&str> = types.iter().map(|(kind, _)| kind.as_str()).collect();
        format!("loaded are: {}", names.join(", "))
    };
    FieldError::new("apptype", format!("no release plugin handles \"{wanted}\"; {loaded}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_type_says_what_is_there() {
        let none = unknown_type("x", &[]).to_string();
        assert_eq!(none, "apptype: no release plugin handles \"x\"; no release plugin is loaded");
        let types = [("common".to_owned(), "git-release".to_owned()), ("war".to_owned(), "w".to_owned())];
        let some = unknown_type("x", &types).to_string();
        assert_eq!(some, "apptype: no release plugin handles \"x\"; loaded are: common, war");
    }
}
