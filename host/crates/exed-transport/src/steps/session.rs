//! One channel that runs steps: from opening it to the last mark.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exed_domain::step::{ExitStatus, OutputStream, Step, StepError};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::capture::Capture;
use super::escalate::Escalation;
use super::frames::{Frame, Splitter};
use super::render::{self, Rendered};
use super::run::{Context, StepResult, limit};
use super::{command, id, signal, terminate};
use crate::connect::{Channel, ChannelEvent};

/// How long the wrapper may take to report a step whose processes were ended.
const AFTER_TERMINATE: Duration = Duration::from_secs(5);
/// How much of what is said outside of the steps is kept for messages.
const NOISE_LIMIT: usize = 2048;

/// Why a channel is not read any further.
pub(crate) enum Ending {
    /// There is nothing more to wait for.
    Complete,
    /// The current step has ended, but something it left behind holds its output open: its record tells
    /// the rest.
    Detached,
    /// The connection, or the wrapper, was lost while a step was under way.
    Lost(String),
}

/// What the wrapper tells of a step that has ended.
struct Told {
    status: ExitStatus,
    dropped: u64,
    resumed: bool,
}

/// One channel that runs steps.
pub(crate) struct Session<'a> {
    context: Context<'a>,
    offset: usize,
    steps: &'a [Step],
    escalation: Option<&'a Escalation>,
    /// Results so far, in order.
    pub(crate) results: Vec<StepResult>,
    /// Whether the host may have seen the steps.
    pub(crate) sent: bool,
    /// The output of the step under way.
    pub(crate) current: Option<Capture>,
    /// Whether the first step was begun over an earlier channel of the same call.
    continued: bool,
    begun: bool,
    result: Option<Result<Told, StepError>>,
    stderr_done: bool,
    stdout_frames: VecDeque<Frame>,
    stderr_frames: VecDeque<Frame>,
    noise: Vec<u8>,
    deadline: Option<Instant>,
    timed_out: Option<StepError>,
    detach_at: Option<Instant>,
}

impl<'a> Session<'a> {
    /// A session for `steps`, the first of which is number `offset` of the batch. `carried` is the output
    /// of the first step that an earlier channel has already given; `continued` tells that this is not to
    /// be reported as a resumed step.
    pub(crate) fn new(
        context: Context<'a>,
        offset: usize,
        steps: &'a [Step],
        escalation: Option<&'a Escalation>,
        mut carried: Option<Capture>,
        continued: bool,
    ) -> Self {
        if let Some(capture) = &mut carried {
            capture.repeat(OutputStream::Stdout);
            capture.repeat(OutputStream::Stderr);
        }
        Self {
            context,
            offset,
            steps,
            escalation,
            results: Vec::new(),
            sent: false,
            current: carried,
            continued,
            begun: false,
            result: None,
            stderr_done: false,
            stdout_frames: VecDeque::new(),
            stderr_frames: VecDeque::new(),
            noise: Vec::new(),
            deadline: None,
            timed_out: None,
            detach_at: None,
        }
    }

    /// Runs the steps as far as this channel carries.
    pub(crate) async fn drive(&mut self) -> Ending {
        let context = self.context;
        let rendered = render::render(context.key, self.steps, context.keep_going, self.escalation);
        let opened = context.connector.open(context.host, &rendered.line).await;
        let mut channel = match opened {
            Ok(channel) => channel,
            Err(error) => return Ending::Lost(error.0),
        };
        if let Some(login) = &rendered.login
            && let Err(error) = command::converse(&mut channel, login).await
        {
            if let StepError::Unreachable(why) = error {
                return Ending::Lost(why);
            }
            return self.fail(error);
        }
        self.sent = true;
        let Channel { input, output } = channel;
        let Rendered { input: data, nonce, .. } = rendered;
        let _writer = AbortOnDropHandle::new(tokio::spawn(command::feed(input, data)));
        match nonce {
            None => self.raw(output).await,
            Some(nonce) => self.framed(output, &nonce).await,
        }
    }

    fn step(&self) -> Option<&'a Step> {
        self.steps.get(self.results.len())
    }

    fn begin(&mut self) {
        let Some(step) = self.step() else { return };
        let index = self.offset + self.results.len();
        let live = step.live.then(|| Arc::clone(self.context.sink));
        if self.current.is_none() {
            self.current = Some(Capture::new(index, limit(step), live));
        }
        self.begun = true;
        self.deadline = step.timeout.and_then(|limit| Instant::now().checked_add(limit));
    }

    /// A lone step whose streams and status are the channel's own.
    async fn raw(&mut self, mut output: Box<dyn crate::connect::ChannelOutput>) -> Ending {
        self.begin();
        loop {
            match at(self.deadline, output.next()).await {
                None => {
                    let error = self.expire().await;
                    return self.fail(error);
                }
                Some(ChannelEvent::Stdout(data)) => self.take(OutputStream::Stdout, data).await,
                Some(ChannelEvent::Stderr(data)) => self.take(OutputStream::Stderr, data).await,
                Some(ChannelEvent::Exited(status)) => {
                    if let Some(error) = self.not_become(&status) {
                        return self.fail(error);
                    }
                    if let Some(mut capture) = self.current.take() {
                        self.results.push(Ok(capture.finish(status, 0, false)));
                    }
                    return Ending::Complete;
                }
                Some(ChannelEvent::Lost(lost)) => return Ending::Lost(lost.to_string()),
            }
        }
    }

    /// `sudo` and its like end with the codes that programs end with, too; their complaint tells.
    fn not_become(&self, status: &ExitStatus) -> Option<StepError> {
        let as_user = self.escalation?;
        let said = self.current.as_ref()?.complaint();
        let theirs = *status == ExitStatus::Code(1) && said.starts_with(&as_user.complaint());
        theirs.then(|| StepError::Failed(format!("{}: {said}", as_user.name())))
    }

    async fn framed(&mut self, mut output: Box<dyn crate::connect::ChannelOutput>, nonce: &str) -> Ending {
        let (mut stdout, mut stderr) = (Splitter::new(nonce), Splitter::new(nonce));
        loop {
            if let Some(ending) = self.work_off().await {
                return ending;
            }
            let next = [self.deadline, self.detach_at].into_iter().flatten().min();
            match at(next, output.next()).await {
                None => match self.overdue().await {
                    Some(ending) => return ending,
                    None => continue,
                },
                Some(ChannelEvent::Stdout(data)) => self.stdout_frames.extend(stdout.push(&data)),
                Some(ChannelEvent::Stderr(data)) => self.stderr_frames.extend(stderr.push(&data)),
                Some(ChannelEvent::Exited(status)) => return self.wrapper_ended(&status),
                Some(ChannelEvent::Lost(lost)) => return self.lost(lost.to_string()),
            }
        }
    }

    /// Takes frames as far as they belong to the current step. The two streams come independently of each
    /// other: one that has told the end of the step waits until the other has.
    async fn work_off(&mut self) -> Option<Ending> {
        loop {
            let (stream, frame) = match (self.result.is_some(), self.stderr_done) {
                (true, true) => match self.settled() {
                    Some(ending) => return Some(ending),
                    None => continue,
                },
                (false, _) if !self.stdout_frames.is_empty() => {
                    (OutputStream::Stdout, self.stdout_frames.pop_front()?)
                }
                (_, false) => (OutputStream::Stderr, self.stderr_frames.pop_front()?),
                (false, true) => return None,
            };
            match frame {
                Frame::Data(data) => self.take(stream, data).await,
                Frame::Mark(fields) => self.mark(stream, &fields),
            }
        }
    }

    async fn take(&mut self, stream: OutputStream, data: Bytes) {
        match self.current.as_mut().filter(|_| self.begun) {
            Some(capture) => capture.push(stream, data).await,
            None => {
                let room = NOISE_LIMIT.saturating_sub(self.noise.len());
                self.noise.extend(data.iter().take(room));
            }
        }
    }

    fn mark(&mut self, stream: OutputStream, fields: &[String]) {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        if fields.get(1).and_then(|index| index.parse().ok()) != Some(self.results.len()) {
            return;
        }
        match (stream, fields.as_slice()) {
            (_, ["s", _]) => {
                if !self.begun {
                    self.begin();
                }
            }
            (_, ["r", _]) => {
                if let Some(capture) = &mut self.current {
                    capture.repeat(stream);
                }
            }
            (OutputStream::Stderr, ["e", ..]) => self.stderr_done = true,
            (OutputStream::Stdout, ["x", ..]) => {
                self.detach_at = Instant::now().checked_add(self.context.grace);
            }
            (OutputStream::Stdout, ["e", _, code, signaled, dropped, resumed]) => {
                let status = signal::of_shell(code.parse().unwrap_or(-1), *signaled == "1");
                let resumed = *resumed == "1" && !self.continued;
                let dropped = dropped.parse().unwrap_or(0);
                // Standard error may still be on its way: the output is taken when both have ended.
                self.result = Some(Ok(Told { status, dropped, resumed }));
            }
            (OutputStream::Stdout, ["f", _, kind, why @ ..]) => {
                let why = why.join(" ");
                self.result = Some(Err(match *kind {
                    "fenced" => StepError::Fenced,
                    "unknown" => StepError::Unknown(why),
                    _ => StepError::Failed(why),
                }));
            }
            (OutputStream::Stdout | OutputStream::Stderr, _) => {}
        }
    }

    /// Files the result of the current step once both streams have told its end.
    fn settled(&mut self) -> Option<Ending> {
        let told = self.result.take()?;
        let capture = self.current.take();
        let mut result = told.and_then(|told| match capture {
            Some(mut capture) => Ok(capture.finish(told.status, told.dropped, told.resumed)),
            None => Err(StepError::Failed("the host reported a step that it had not begun".to_owned())),
        });
        if let Some(error) = self.timed_out.take() {
            result = Err(error);
        }
        let fenced = matches!(result, Err(StepError::Fenced));
        let success = result.as_ref().is_ok_and(|output| output.status.success());
        self.results.push(result);
        self.continued = false;
        self.begun = false;
        self.stderr_done = false;
        self.deadline = None;
        self.detach_at = None;
        if fenced {
            self.results.resize_with(self.steps.len(), || Err(StepError::Fenced));
        }
        let stop = !success && !self.context.keep_going;
        (stop || self.results.len() >= self.steps.len()).then_some(Ending::Complete)
    }

    /// A deadline has passed.
    async fn overdue(&mut self) -> Option<Ending> {
        if self.detach_at.is_some_and(|at| at <= Instant::now()) {
            return Some(Ending::Detached);
        }
        if let Some(error) = self.timed_out.take() {
            return Some(self.fail(error));
        }
        let error = self.expire().await;
        self.timed_out = Some(error);
        self.deadline = Instant::now().checked_add(AFTER_TERMINATE);
        None
    }

    /// Ends the processes of the current step.
    async fn expire(&mut self) -> StepError {
        let Some(step) = self.step() else { return StepError::Canceled };
        let context = self.context;
        let step_id = id::step_id(context.key, &step.path);
        let end =
            terminate::end(context.connector, context.host, context.key, Some(&step_id), self.escalation);
        let outcome = end.await;
        let seconds = step.timeout.unwrap_or_default().as_secs_f64().ceil();
        StepError::TimedOut { seconds: seconds as u64, ended: terminate::phrase(&outcome) }
    }

    fn fail(&mut self, error: StepError) -> Ending {
        self.results.push(Err(error));
        Ending::Complete
    }

    fn lost(&mut self, why: String) -> Ending {
        match self.timed_out.take() {
            Some(error) => self.fail(error),
            None => Ending::Lost(why),
        }
    }

    /// The wrapper is gone although steps are left.
    fn wrapper_ended(&mut self, status: &ExitStatus) -> Ending {
        if let Some(error) = self.timed_out.take() {
            return self.fail(error);
        }
        let noise = String::from_utf8_lossy(&self.noise).trim().to_owned();
        let how = match status {
            ExitStatus::Code(code) => format!("code {code}"),
            ExitStatus::Signal(name) => format!("signal {name}"),
        };
        if self.step().is_some_and(render::recorded) && (self.begun || !self.results.is_empty()) {
            return Ending::Lost(format!("the wrapper on the host ended with {how}"));
        }
        let who = self.escalation.map_or_else(|| "the shell".to_owned(), Escalation::name);
        self.fail(StepError::Failed(format!("{who} ended with {how} before the step did: {noise}")))
    }
}

async fn at<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => timeout_at(deadline, future).await.ok(),
    }
}
