//! Real threads, for which every order of events must be right.

use super::*;

/// A lane whose workers echo, some slowly, until the pool closes.
#[derive(Debug)]
struct Echoing;

impl Launch for Echoing {
    fn launch(&self, pool: &Arc<Scheduler>, id: WorkerId) -> io::Result<()> {
        work(pool, id, |_, taken| {
            if taken.ticket % 97 == 0 {
                thread::sleep(Duration::from_micros(300));
            }
        });
        Ok(())
    }
}

fn echoing(limits: PoolLimits) -> (Arc<Scheduler>, Arc<Outbox>) {
    let outbox = Arc::new(Outbox::default());
    (
        Scheduler::new(1, limits, Arc::clone(&outbox), Echoing).unwrap(),
        outbox,
    )
}

#[test]
fn every_task_settles_once_whatever_is_given_up_times_out_or_closes() {
    const TASKS: u32 = 40_000;
    for (round, max_threads) in [1, 2, 8, 64].into_iter().enumerate() {
        let (pool, outbox) = echoing(PoolLimits {
            max_threads,
            ..LIMITS
        });
        let mut random = 0x9e37_79b9_u32.wrapping_add(round as u32);
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            random
        };
        let told = AtomicUsize::new(0);
        let mut times = vec![0u8; TASKS as usize];
        let mut keys = Vec::new();
        let collect = |times: &mut Vec<u8>| {
            while let Some(message) = outbox.receive() {
                if let Message::Settled { ticket, outcome } = message {
                    times[ticket as usize] += 1;
                    told.fetch_add(1, SeqCst);
                    if let Outcome::Returned(Payload {
                        body: Body::Number(number),
                        ..
                    }) = outcome
                    {
                        assert_eq!(number, f64::from(ticket), "a result of another task");
                    }
                }
            }
        };
        for ticket in 0..TASKS {
            let limits = match next() % 50 {
                0 => (1, u32::MAX),
                1 => (u32::MAX, 1),
                _ => (u32::MAX, u32::MAX),
            };
            let new = NewTask {
                timeout: limits.0,
                queue_timeout: limits.1,
                priority: (next() % 40) as i8 - 20,
                group: (next() % 4 == 0).then(|| format!("{}", next() % 50).into()),
                ..call(ticket, Lane::Native)
            };
            keys.push((ticket, pool.submit(new).unwrap().key));
            if next() % 10 == 0 {
                let (ticket, key) = keys.swap_remove(next() as usize % keys.len());
                if pool.cancel(key) {
                    times[ticket as usize] += 1;
                    told.fetch_add(1, SeqCst);
                }
            }
            if next() % 64 == 0 {
                collect(&mut times);
            }
        }
        if round % 2 == 0 {
            pool.destroy();
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        while told.load(SeqCst) < TASKS as usize {
            assert!(
                Instant::now() < deadline,
                "{} of {TASKS} settled",
                told.load(SeqCst)
            );
            collect(&mut times);
            thread::yield_now();
        }
        pool.close();
        while !pool.snapshot().workers.is_empty() {
            assert!(Instant::now() < deadline, "workers are left");
            thread::yield_now();
        }
        collect(&mut times);
        assert!(times.iter().all(|&times| times == 1));
    }
}
