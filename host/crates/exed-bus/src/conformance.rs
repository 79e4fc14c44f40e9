//! What every bus must do. An adapter's tests call [`suite!`] with a factory of its bus; each test gets a
//! bus of its own that no other test publishes to.
//!
//! Delivery may take time and may lose signals (a lost one shows as [`Signal::Missed`]), so the tests wait
//! for a condition with a bound and accept `Missed` wherever signals may have been dropped.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::JobId;
use exed_domain::ports::{Bus, Signal, Subscription};

/// How long a delivery may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Declares one test per requirement, for the bus that `$factory` makes.
macro_rules! suite {
    ($factory:expr) => {
        crate::conformance::suite!(@each $factory;
            delivers_in_order, reaches_every_subscriber, starts_at_the_subscription,
            publishing_without_subscribers_is_fine, never_blocks_on_a_slow_subscriber,
            waiting_is_cancel_safe, closes_with_the_bus, publishers_on_many_threads
        );
    };
    (@each $factory:expr; $($name:ident),+) => {
        mod bus_conformance {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    let factory = $factory;
                    crate::conformance::$name(factory()).await;
                }
            )+
        }
    };
}
pub(crate) use suite;

async fn next(subscription: &mut Box<dyn Subscription>) -> Option<Signal> {
    tokio::time::timeout(PATIENCE, subscription.next()).await.expect("a signal arrives in time")
}

fn changed() -> Signal {
    Signal::JobChanged(JobId::new())
}

pub(crate) async fn delivers_in_order(bus: Arc<dyn Bus>) {
    let mut subscription = bus.subscribe();
    let signals = [Signal::JobsQueued, changed(), changed(), Signal::JobsQueued];
    for signal in signals {
        bus.publish(signal);
    }
    for signal in signals {
        assert_eq!(next(&mut subscription).await, Some(signal));
    }
}

pub(crate) async fn reaches_every_subscriber(bus: Arc<dyn Bus>) {
    let mut subscriptions: Vec<_> = (0..200).map(|_| bus.subscribe()).collect();
    let signal = changed();
    bus.publish(signal);
    for subscription in &mut subscriptions {
        assert_eq!(next(subscription).await, Some(signal));
    }
}

pub(crate) async fn starts_at_the_subscription(bus: Arc<dyn Bus>) {
    let mut early = bus.subscribe();
    bus.publish(Signal::JobsQueued);
    assert_eq!(next(&mut early).await, Some(Signal::JobsQueued));
    let mut late = bus.subscribe();
    let signal = changed();
    bus.publish(signal);
    assert_eq!(next(&mut late).await, Some(signal));
}

pub(crate) async fn publishing_without_subscribers_is_fine(bus: Arc<dyn Bus>) {
    bus.publish(Signal::JobsQueued);
    drop(bus.subscribe());
    bus.publish(changed());
    let mut subscription = bus.subscribe();
    let signal = changed();
    bus.publish(signal);
    assert_eq!(next(&mut subscription).await, Some(signal));
}

/// Far more signals than any backlog: publishing returns, and the subscriber either gets the last one or
/// is told that it missed some before it does.
pub(crate) async fn never_blocks_on_a_slow_subscriber(bus: Arc<dyn Bus>) {
    let mut slow = bus.subscribe();
    for _ in 0..20_000 {
        bus.publish(Signal::JobsQueued);
    }
    let last = changed();
    bus.publish(last);
    let mut received = 0_u32;
    let mut missed = false;
    loop {
        let signal = next(&mut slow).await.expect("the bus is still open");
        if signal == last {
            break;
        }
        if signal == Signal::Missed {
            missed = true;
        } else {
            received += 1;
        }
    }
    assert!(missed || received == 20_000, "{received} signals, and nobody said that some are missing");
}

pub(crate) async fn waiting_is_cancel_safe(bus: Arc<dyn Bus>) {
    let mut subscription = bus.subscribe();
    for _ in 0..100 {
        let signal = changed();
        tokio::select! {
            biased;
            early = subscription.next() => panic!("nothing was published, and {early:?} came"),
            () = std::future::ready(()) => {}
        }
        bus.publish(signal);
        assert_eq!(next(&mut subscription).await, Some(signal));
    }
}

pub(crate) async fn closes_with_the_bus(bus: Arc<dyn Bus>) {
    let mut subscription = bus.subscribe();
    bus.publish(Signal::JobsQueued);
    drop(bus);
    assert_eq!(next(&mut subscription).await, Some(Signal::JobsQueued));
    assert_eq!(next(&mut subscription).await, None);
    assert_eq!(next(&mut subscription).await, None);
}

pub(crate) async fn publishers_on_many_threads(bus: Arc<dyn Bus>) {
    let mut subscription = bus.subscribe();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let bus = Arc::clone(&bus);
            std::thread::spawn(move || (0..50).for_each(|_| bus.publish(Signal::JobsQueued)))
        })
        .collect();
    for thread in threads {
        thread.join().expect("a publisher never panics");
    }
    for _ in 0..200 {
        assert_eq!(next(&mut subscription).await, Some(Signal::JobsQueued));
    }
}
