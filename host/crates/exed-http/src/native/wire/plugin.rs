//! Plugins and operations.

use exed_domain::plugin::{OperationInfo, PluginInfo, PluginOrigin, PluginRefusal, PluginUse};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Exactly which component something runs with.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginUse)]
pub(in crate::native) struct PluginUseView {
    name: String,
    version: String,
    /// SHA-256 of the component, lower-case hex.
    digest: String,
    /// The version of the plugin API it was built for.
    api: String,
    /// The capabilities it has, sorted.
    grants: Vec<String>,
}

impl From<&PluginUse> for PluginUseView {
    fn from(used: &PluginUse) -> Self {
        Self {
            name: used.name.clone(),
            version: used.version.to_string(),
            digest: used.digest.clone(),
            api: used.api.to_string(),
            grants: used.grants.clone(),
        }
    }
}

/// One loaded version of a plugin.
#[derive(Serialize, ToSchema)]
#[schema(as = Plugin)]
pub(in crate::native) struct PluginView {
    #[serde(flatten)]
    used: PluginUseView,
    /// `executor` or `policy`.
    kind: &'static str,
    summary: String,
    /// `active`, `draining` (jobs that started with it still run) or `retained` (kept for a rollback).
    state: &'static str,
    /// The file in the plugin folder; null for a component that the server carries.
    file: Option<String>,
    /// The names of its operations; empty for policies.
    operations: Vec<String>,
    /// Runs under way with it.
    running: u64,
}

impl From<&PluginInfo> for PluginView {
    fn from(info: &PluginInfo) -> Self {
        let file = match &info.origin {
            PluginOrigin::Embedded => None,
            PluginOrigin::File(file) => Some(file.clone()),
        };
        Self {
            used: PluginUseView::from(&info.used),
            kind: info.kind.word(),
            summary: info.summary.clone(),
            state: info.state.word(),
            file,
            operations: info.operations.iter().map(|operation| operation.name.clone()).collect(),
            running: info.running,
        }
    }
}

/// A file that was not loaded; the working version of the plugin stays.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginRefusal)]
pub(in crate::native) struct RefusalView {
    file: String,
    /// One sentence.
    reason: String,
}

impl From<PluginRefusal> for RefusalView {
    fn from(refusal: PluginRefusal) -> Self {
        Self { file: refusal.file, reason: refusal.reason }
    }
}

/// Loaded versions, and files that were refused.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginList)]
pub(in crate::native) struct PluginList {
    pub(in crate::native) items: Vec<PluginView>,
    pub(in crate::native) refusals: Vec<RefusalView>,
}

/// The live versions of one plugin.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginVersions)]
pub(in crate::native) struct PluginVersions {
    pub(in crate::native) items: Vec<PluginView>,
}

/// An operation, with the plugin that new jobs would take.
#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
pub(in crate::native) struct OperationView {
    name: String,
    summary: String,
    /// Whether two jobs of this operation exclude each other on a host.
    exclusive: bool,
    /// JSON Schema of the arguments.
    args_schema: Value,
    plugin: PluginUseView,
}

impl From<&(OperationInfo, PluginUse)> for OperationView {
    fn from((operation, plugin): &(OperationInfo, PluginUse)) -> Self {
        Self {
            name: operation.name.clone(),
            summary: operation.summary.clone(),
            exclusive: operation.exclusive,
            args_schema: operation.args_schema.clone(),
            plugin: PluginUseView::from(plugin),
        }
    }
}

/// Every operation.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationList)]
pub(in crate::native) struct OperationList {
    pub(in crate::native) items: Vec<OperationView>,
}
