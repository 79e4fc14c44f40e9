//! Capability `transport`, second half: files of any size, in constant memory.

use bytes::Bytes;
use exed_domain::ports::Transfer;
use exed_domain::ports::transport::TransferRequest;
use exed_domain::step::StepError;
use exed_plugin_api::v0_1::executor::exed::transport::steps::{RunAs, StepError as WitError};
use exed_plugin_api::v0_1::executor::exed::transport::transfer as wit;
use tokio::runtime::Handle;
use wasmtime::component::{Resource, ResourceTableError};

use crate::engine::guest::OnServer;
use crate::limits::Breach;
use crate::state::RunState;
use crate::v0_1::{outputs, steps};

/// The most that one read returns.
const MOST_AT_ONCE: u32 = 1 << 20;

/// A transfer behind a resource handle. It is dropped in the context of the server's runtime, because
/// clearing up after an unfinished upload is the server's work.
struct Open {
    transfer: Option<Box<dyn Transfer>>,
    server: Handle,
}

impl Drop for Open {
    fn drop(&mut self) {
        let _entered = self.server.enter();
        self.transfer = None;
    }
}

impl wit::Host for RunState {
    async fn open_upload(
        &mut self,
        path: String,
        mode: u32,
        user: RunAs,
    ) -> wasmtime::Result<Result<Resource<wit::Upload>, WitError>> {
        let request = steps::absolute("path", path)
            .and_then(|path| Ok((path, steps::mode(mode)?, steps::run_as(user)?)))
            .map(|(path, mode, user)| TransferRequest::Upload { path, mode, user });
        let opened = self.open(request).await?;
        Ok(opened.map(|handle| Resource::new_own(handle.rep())))
    }

    async fn open_download(
        &mut self,
        path: String,
        user: RunAs,
    ) -> wasmtime::Result<Result<Resource<wit::Download>, WitError>> {
        let request = steps::absolute("path", path)
            .and_then(|path| Ok(TransferRequest::Download { path, user: steps::run_as(user)? }));
        let opened = self.open(request).await?;
        Ok(opened.map(|handle| Resource::new_own(handle.rep())))
    }
}

impl wit::HostUpload for RunState {
    async fn write(
        &mut self,
        upload: Resource<wit::Upload>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<(), WitError>> {
        let server = self.server.clone();
        let Some(transfer) = self.transfer(upload.rep())? else { return Ok(Err(closed())) };
        let written = OnServer::new(transfer.write(Bytes::from(data)), server).await;
        Ok(written.map_err(outputs::error))
    }

    async fn close(&mut self, upload: Resource<wit::Upload>) -> wasmtime::Result<Result<String, WitError>> {
        let open = self.table.get_mut(&Resource::<Open>::new_borrow(upload.rep()))?;
        let Some(transfer) = open.transfer.take() else { return Ok(Err(closed())) };
        let digest = OnServer::new(transfer.close(), self.server.clone()).await;
        Ok(digest.map_err(outputs::error))
    }

    async fn drop(&mut self, upload: Resource<wit::Upload>) -> wasmtime::Result<()> {
        self.release(upload.rep())
    }
}

impl wit::HostDownload for RunState {
    async fn read(
        &mut self,
        download: Resource<wit::Download>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, WitError>> {
        let server = self.server.clone();
        let Some(transfer) = self.transfer(download.rep())? else { return Ok(Err(closed())) };
        let max = usize::try_from(max.min(MOST_AT_ONCE))?;
        let read = OnServer::new(transfer.read(max), server).await;
        Ok(read.map(Vec::from).map_err(outputs::error))
    }

    async fn drop(&mut self, download: Resource<wit::Download>) -> wasmtime::Result<()> {
        self.release(download.rep())
    }
}

impl RunState {
    async fn open(
        &mut self,
        request: Result<TransferRequest, String>,
    ) -> wasmtime::Result<Result<Resource<Open>, WitError>> {
        let host = self.host("transfer.open")?;
        self.meter.host_call(0)?;
        let request = match request {
            Ok(request) => request,
            Err(problem) => return Ok(Err(outputs::error(StepError::Invalid(problem)))),
        };
        match OnServer::new(host.transfer(request), self.server.clone()).await {
            Ok(transfer) => {
                let open = Open { transfer: Some(transfer), server: self.server.clone() };
                self.table.push(open).map(Ok).map_err(|error| match error {
                    ResourceTableError::Full => self.too_many_handles().into(),
                    ResourceTableError::NotPresent
                    | ResourceTableError::WrongType
                    | ResourceTableError::HasChildren => error.into(),
                })
            }
            Err(error) => Ok(Err(outputs::error(error))),
        }
    }

    fn too_many_handles(&self) -> Breach {
        Breach::new("handles", format!("at most {} open at once", self.meter.limits().handles))
    }

    fn transfer(&mut self, rep: u32) -> wasmtime::Result<Option<&mut Box<dyn Transfer>>> {
        Ok(self.table.get_mut(&Resource::<Open>::new_borrow(rep))?.transfer.as_mut())
    }

    fn release(&mut self, rep: u32) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Open>::new_own(rep))?;
        Ok(())
    }
}

fn closed() -> WitError {
    outputs::error(StepError::Invalid("the upload is already closed".into()))
}
