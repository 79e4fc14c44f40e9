//! Futures around a call of a guest: one that meters what it computes, one that keeps its host calls on the
//! server's runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use super::ticker::Ticker;
use crate::meter::Meter;

/// Runs the clock and the meter whenever the guest's future is polled, which is when it computes.
pub(crate) struct Metered<F> {
    inner: Pin<Box<F>>,
    meter: Arc<Meter>,
    ticker: Arc<Ticker>,
}

impl<F: Future> Metered<F> {
    pub(crate) fn new(inner: F, meter: Arc<Meter>, ticker: Arc<Ticker>) -> Self {
        Self { inner: Box::pin(inner), meter, ticker }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _computing = this.ticker.computing();
        this.meter.resume();
        let result = this.inner.as_mut().poll(context);
        this.meter.pause();
        result
    }
}

/// Polls a host call as if it ran on the server's runtime: connections and timers that it makes belong
/// there and do not wait behind guests that compute.
pub(crate) struct OnServer<F> {
    inner: Pin<Box<F>>,
    server: Handle,
}

impl<F: Future> OnServer<F> {
    pub(crate) fn new(inner: F, server: Handle) -> Self {
        Self { inner: Box::pin(inner), server }
    }
}

impl<F: Future> Future for OnServer<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = this.server.enter();
        this.inner.as_mut().poll(context)
    }
}
