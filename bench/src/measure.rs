//! Timing on a machine that others use: many short batches of every subject in turn, of which the
//! fastest counts. Whatever disturbs a batch only ever makes it slower.

use std::time::{Duration, Instant};

const BATCH: Duration = Duration::from_micros(500);

/// One thing that is measured: does its work `n` times.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'static str,
    work: Box<dyn FnMut(u64) + 'a>,
    iterations: u64,
    /// Nanoseconds of one, in each batch.
    times: Vec<f64>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(name: &'static str, work: impl FnMut(u64) + 'a) -> Self {
        Self { name, work: Box::new(work), iterations: 64, times: Vec::new() }
    }

    /// Does one thing again and again.
    pub(crate) fn repeat<T>(name: &'static str, mut work: impl FnMut() -> T + 'a) -> Self {
        Self::new(name, move |n| {
            for _ in 0..n {
                std::hint::black_box(work());
            }
        })
    }

    fn batch(&mut self) -> Duration {
        let begun = Instant::now();
        (self.work)(self.iterations);
        begun.elapsed()
    }

    fn calibrate(&mut self) {
        while self.batch() < BATCH {
            self.iterations *= 2;
        }
    }

    /// Nanoseconds of one, at best.
    pub(crate) fn best(&self) -> f64 {
        self.times.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// Runs `rounds` batches of every subject, in turn.
pub(crate) fn race(subjects: &mut [Subject<'_>], rounds: usize) {
    subjects.iter_mut().for_each(Subject::calibrate);
    for _ in 0..rounds {
        for subject in &mut *subjects {
            let taken = subject.batch();
            subject.times.push(taken.as_nanos() as f64 / subject.iterations as f64);
        }
    }
}
