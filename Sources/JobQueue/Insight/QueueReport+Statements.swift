import Postgres

extension QueueReport {
    /// The statements of a report; each reads a bounded number of rows, whatever waits and whatever has ended.
    struct Statements {
        let schema: String

        /// How many of the jobs that ended last stand for all of them.
        private static let sample = 2000

        var all: [(name: String, query: Query)] {
            [
                ("kinds", kinds), ("totals", totals), ("longestRunning", longestRunning), ("workers", workers),
                ("failures", failures), ("discards", discards), ("quotas", quotas), ("tokens", tokens),
                ("waits", waits),
                ("breakers", breakers),
            ]
        }

        /// The queue by kinds.
        ///
        /// A scheduled job that is due is available, although only the next claim opens it. The oldest open job is among those
        /// whose turn comes first. Times are those of the jobs that are due next. `offset 0` keeps the planner from joining
        /// the whole of job, and the order of the open ones from reading the whole of ready where there are none.
        var kinds: Query {
            let limit = QueueReport.countLimit + 1
            return """
                select k.name as kind,
                    (select count(*) from (select from \(identifier: schema).ready r
                        where r.gate = 0 and r.kind = k.name
                         order by r.priority, r.turn, r.id limit \(limit)) x) + coalesce(t.due, 0) as available,
                    (select extract(epoch from clock_timestamp() - min(f.run_at))
                     from generate_series(0, 9) lane cross join lateral (
                         select r.run_at from \(identifier: schema).ready r
                         where r.gate = 0 and r.kind = k.name and r.priority = lane
                         order by r.turn, r.id limit 1000) f) as oldest_available,
                    coalesce(t.scheduled, 0) as scheduled, coalesce(t.retryable, 0) as retryable,
                    coalesce(t.deferred, 0) as deferred, t.next_due, coalesce(l.running, 0) as running,
                    e.completed_per_minute, coalesce(e.discarded, 0) as discarded, e.failure_share, e.times[1] as median_time,
                    e.times[2] as long_time
                from \(identifier: schema).kind k
                left join (
                    select kind, count(*) filter (where attempt = 0 and run_at <= now()) as due,
                        count(*) filter (where attempt = 0 and run_at > now()) as scheduled,
                        count(*) filter (where attempt > 0) as retryable, count(*) filter (where is_deferred) as deferred,
                        extract(epoch from min(run_at) - clock_timestamp()) as next_due
                    from (select kind, attempt, run_at, waits_for is not null as is_deferred
                          from \(identifier: schema).ready where gate = 1 order by run_at limit \(limit)) x
                    group by kind) t on t.kind = k.name
                left join (
                    select kind, count(*) as running from \(identifier: schema).running_now group by kind) l on l.kind = k.name
                left join (
                    select j.kind, count(*) filter (where o.state = 'discarded') as discarded,
                        count(*) filter (where o.state = 'completed' and o.finalized_at > now() - interval '1 minute')
                            * 60 / least(60, greatest(1, extract(epoch from now() - min(o.oldest)))) as completed_per_minute,
                        count(*) filter (where o.state = 'discarded')::float8 / count(*) as failure_share,
                        percentile_disc(array[0.5, 0.99]) within group (
                            order by extract(epoch from o.finalized_at - j.scheduled_at)::float8)
                            filter (where o.state = 'completed') as times
                    from (select x.*, case when count(*) over () = \(Self.sample) then min(x.finalized_at) over ()
                                           else now() - interval '1 hour' end as oldest
                          from (select id, state, finalized_at from \(identifier: schema).outcome
                                where finalized_at > now() - interval '1 hour' order by finalized_at desc
                                limit \(Self.sample)) x) o
                    cross join lateral (
                        select x.kind, x.scheduled_at from \(identifier: schema).job_kind x where x.id = o.id offset 0) j
                    group by j.kind) e on e.kind = k.name
                order by k.name
                """
        }

        var totals: Query {
            let limit = QueueReport.countLimit + 1
            return """
                select
                    (select count(*) from (select from \(identifier: schema).ready where gate = 2 limit \(limit)) x) as held,
                    (select count(*) from (select from \(identifier: schema).outcome
                        where state = 'completed' and finalized_at > now() - interval '1 minute'
                        order by finalized_at desc limit \(limit)) x) as completed_last_minute,
                    (select count(*) from (select from \(identifier: schema).outcome
                        where state = 'discarded' and finalized_at > now() - interval '1 hour'
                        order by finalized_at desc limit \(limit)) x) as discarded_last_hour
                """
        }

        var longestRunning: Query {
            """
            select id, kind, worker, extract(epoch from clock_timestamp() - at) as seconds, step, rows_done, rows_total
            from \(identifier: schema).running_now order by at, id limit 5
            """
        }

        var workers: Query {
            """
            select name, version, extract(epoch from clock_timestamp() - beat_at) as silence, in_flight, concurrency,
                last_error, array_to_string(kinds, ',') as kinds
            from \(identifier: schema).worker order by beat_at desc limit 100
            """
        }

        var failures: Query {
            """
            select error ->> 'code' as code, count(*) as count, max(id) as example,
                (array_agg(error ->> 'message' order by id desc))[1] as message
            from (select * from \(identifier: schema).failure where at > now() - interval '1 hour'
                  order by at desc limit \(QueueReport.countLimit + 1)) recent
            group by 1 order by 2 desc, 1 limit 10
            """
        }

        /// Why the jobs that were discarded last were.
        var discards: Query {
            """
            select f.error ->> 'code' as code, count(*) as count, max(o.id) as example,
                (array_agg(f.error ->> 'message' order by o.id desc))[1] as message
            from (select id from \(identifier: schema).outcome
                  where state = 'discarded' and finalized_at > now() - interval '1 hour'
                  order by finalized_at desc limit 1000) o
            cross join lateral (
                select x.error from \(identifier: schema).failure x where x.id = o.id order by x.at desc limit 1) f
            group by 1 order by 2 desc, 1 limit 10
            """
        }

        var quotas: Query {
            "select name, allowed, used, learned is not null as is_learned, free_in from \(identifier: schema).quota_now order by name"
        }

        var tokens: Query {
            """
            select account, extract(epoch from token_until - clock_timestamp())::float8 as seconds
            from \(identifier: schema).identity order by account
            """
        }

        var waits: Query {
            """
            select waits_for ->> 'code' as code, coalesce(waits_for -> 'needs_mending' = 'true', false) as needs_mending,
                count(*) as count, max(id) as example,
                (array_agg(waits_for ->> 'message' order by id desc))[1] as message
            from (select id, waits_for from \(identifier: schema).ready where gate = 1 order by run_at
                  limit \(QueueReport.countLimit + 1)) r
            where waits_for is not null group by 1, 2 order by 3 desc, 1 limit 10
            """
        }

        var breakers: Query {
            """
            select name, reason, to_char(since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') as since,
                extract(epoch from until - clock_timestamp()) as opens_in
            from \(identifier: schema).breaker order by breaker.since limit 100
            """
        }

    }
}
