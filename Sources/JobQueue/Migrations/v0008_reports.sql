-- What `sheetsync status` and `sheetsync why` show. Each view reads a bounded number of rows, whatever waits and whatever has
-- ended: counts stop at 10,001, which means "more than 10,000". `offset 0` keeps the planner from joining all of `job`.

-- The queue by kinds. Figures of ended jobs come from the 2,000 that ended last within the hour.
create view report_kind as
select k.name as kind,
       a.available + a.isolated + coalesce(s.due, 0) as available, a.oldest_available,
       coalesce(s.scheduled, 0) as scheduled, coalesce(s.retryable, 0) as retryable, coalesce(s.snoozed, 0) as snoozed,
       s.next_due,
       coalesce(l.running, 0) as running,
       e.completed_per_minute, coalesce(e.discarded, 0) as discarded, e.failure_share, e.times[1] as median_time,
       e.times[2] as long_time
from kind k
cross join lateral (
    select count(*) as available, extract(epoch from clock_timestamp() - least(min(x.run_at), (
               select min(r.run_at) from ready r where r.state = 'isolated' and r.kind = k.name))) as oldest_available,
           (select count(*) from (select r.kind from ready r where r.state = 'isolated' limit 10001) y where y.kind = k.name)
               as isolated
    from (select r.run_at from ready r where r.state = 'available' and r.kind = k.name
          order by r.kind, r.enqueued_by, r.priority, r.owner, r.id limit 10001) x) a
left join (
    -- A job that is due is available, although only the next claim makes it so.
    select x.kind, count(*) filter (where attempt = 0 and run_at <= now()) as due,
           count(*) filter (where attempt = 0 and run_at > now()) as scheduled,
           count(*) filter (where attempt > 0) as retryable, count(*) filter (where x.waits_for is not null) as snoozed,
           extract(epoch from min(run_at) - clock_timestamp()) as next_due
    from (select r.* from ready r where r.state = 'scheduled' order by r.run_at limit 10001) x
    group by x.kind) s on s.kind = k.name
left join (
    select j.kind, count(*) as running
    from lease cross join lateral (select x.kind from job x where x.id = lease.id offset 0) j group by j.kind) l
    on l.kind = k.name
left join (
    select j.kind, count(*) filter (where o.state = 'discarded') as discarded,
           count(*) filter (where o.state = 'completed' and o.finalized_at > now() - interval '1 minute')
               * 60 / least(60, greatest(1, extract(epoch from now() - min(o.since)))) as completed_per_minute,
           count(*) filter (where o.state = 'discarded')::float8 / count(*) as failure_share,
           percentile_disc(array[0.5, 0.99]) within group (
               order by extract(epoch from o.finalized_at - j.scheduled_at)::float8)
               filter (where o.state = 'completed') as times
    from (select x.*, case when count(*) over () = 2000 then min(x.finalized_at) over () else now() - interval '1 hour' end
                      as since
          from (select y.id, y.state, y.finalized_at from outcome y where y.finalized_at > now() - interval '1 hour'
                order by y.finalized_at desc limit 2000) x) o
    cross join lateral (select x.kind, x.scheduled_at from job x where x.id = o.id offset 0) j
    group by j.kind) e on e.kind = k.name
order by k.name;

create view report_total as
select (select count(*) from (select from ready where state = 'blocked' limit 10001) x) as blocked,
       (select count(*) from (select from outcome where state = 'completed' and finalized_at > now() - interval '1 minute'
                              order by finalized_at desc limit 10001) x) as completed_last_minute,
       (select count(*) from (select from outcome where state = 'discarded' and finalized_at > now() - interval '1 hour'
                              order by finalized_at desc limit 10001) x) as discarded_last_hour;

create view report_running as
select l.id, j.kind, w.name as worker, extract(epoch from clock_timestamp() - l.claimed_at) as seconds, p.step, p.rows_done,
       p.rows_total
from (select * from lease order by claimed_at, id limit 5) l
cross join lateral (select x.kind from job x where x.id = l.id offset 0) j
left join worker w on w.epoch = l.epoch
left join lateral (select x.* from progress x where x.id = l.id offset 0) p on true
order by l.claimed_at, l.id;

-- The logins whose jobs run, and those with a ceiling. `has_waiting`: more of its jobs could run.
create view report_login as
select x.login, x.running, m.slots, m.waiting, m.best_priority, m.slots is not null and exists (
    select from kind k cross join lateral (
        select from ready r where r.state = 'available' and r.kind = k.name and r.enqueued_by = x.login limit 1) r) as has_waiting
from (select coalesce(l.login, m.login) as login, coalesce(l.running, 0) as running
      from (select enqueued_by as login, count(*) as running from lease group by enqueued_by) l
      full join login_limit m on m.login = l.login) x
left join login_limit m on m.login = x.login
order by x.running desc, x.login limit 100;

create view report_worker as
select name, version, extract(epoch from clock_timestamp() - beat_at) as silence, in_flight, concurrency, is_listening, room,
       problem, last_error, array_to_string(kinds, ',') as kinds
from worker order by beat_at desc limit 100;

-- What failed in the last hour.
create view report_error as
select error ->> 'code' as code, count(*) as count, max(job_id) as example,
       (array_agg(error ->> 'message' order by number desc))[1] as message
from (select * from attempt_error where at > now() - interval '1 hour' order by at desc limit 10001) recent
group by 1 order by 2 desc, 1 limit 10;

-- Why the last thousand jobs that were discarded in the last hour were.
create view report_discard as
select e.error ->> 'code' as code, count(*) as count, max(o.id) as example,
       (array_agg(e.error ->> 'message' order by o.id desc))[1] as message
from (select id from outcome where state = 'discarded' and finalized_at > now() - interval '1 hour'
      order by finalized_at desc limit 1000) o
cross join lateral (select x.error from attempt_error x where x.job_id = o.id order by x.number desc limit 1) e
group by 1 order by 2 desc, 1 limit 10;

-- What snoozed jobs wait for.
create view report_wait as
select waits_for ->> 'code' as code, coalesce(waits_for -> 'needs_mending' = 'true', false) as needs_mending,
       count(*) as count, max(id) as example, (array_agg(waits_for ->> 'message' order by id desc))[1] as message
from (select id, waits_for from ready where state = 'scheduled' order by run_at limit 10001) r
where waits_for is not null group by 1, 2 order by 3 desc, 1 limit 10;

create view report_pause as
select nullif(kind, '') as kind, by, to_char(since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') as since
from pause order by pause.kind;

-- The database itself: why it takes no writes, and who holds the oldest snapshot, this session aside. Of other logins'
-- sessions only members of pg_read_all_stats see since when. A setting of the own login says nothing about the server.
create view report_database as
select (select max(number) from schema_migration) as schema_step, current_setting('server_version') as server_version,
       extract(epoch from clock_timestamp()) as time,
       case when pg_is_in_recovery() then 'standby'
            when exists (select from pg_settings where name = 'default_transaction_read_only'
               and setting = 'on' and source not in ('user', 'database user', 'client', 'session')) then 'read_only'
       end as lock,
       h.*
from (select) one left join lateral (
    select * from (
        select 'session' as holder, a.pid, a.application_name as name, a.usename::text as login,
               age(a.backend_xmin) as age, extract(epoch from clock_timestamp() - a.xact_start) as seconds
        from pg_stat_activity a
        where a.backend_xmin is not null and a.pid <> pg_backend_pid() and a.usename is not null
          and (a.datname is null or a.datname = current_database())
        union all
        select 'prepared', null, p.gid, p.owner::text, age(p.transaction),
               extract(epoch from clock_timestamp() - p.prepared)
        from pg_prepared_xacts p where p.database = current_database()
        union all
        select 'slot', null, s.slot_name::text, '', age(s.xmin), null
        from pg_replication_slots s where s.xmin is not null) x
    order by x.age desc limit 1) h on true;

-- What a worker fails at, as far as the caller may know: who does not see every job is not told the error, which may name hosts
-- and logins.
create function public_problem(problem text) returns text language sql stable as $$
    select case when may_see_all() then problem else split_part(problem, ': ', 1) end
$$;

-- Everything in the queue that may keep a job waiting, or null where the caller may not see the job.
create function wait_state(id bigint) returns jsonb language sql stable security definer as $$
    select jsonb_build_object(
        'state', r.state,
        'due_in', extract(epoch from r.run_at - clock_timestamp()),
        'due_at', to_char(r.run_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'waits_for', r.waits_for,
        'is_isolated', coalesce(r.losses >= 2, false),
        -- A job that keeps its worker from beginning others.
        'alone', (select min(x.id) from lease x where x.losses >= 2),
        'payload_bytes', job.payload_bytes,
        'target', job.target,
        'lock', (select jsonb_build_object('id', t.job_id, 'runs', exists (select from lease x where x.id = t.job_id))
                 from target_lock t where t.target = job.target and t.job_id <> job.id),
        'earlier', first_waiting(job.target, job.id),
        -- Of the same login and kind; other logins take turns with it.
        'ahead', case when r.state = 'available' then (
            select count(*) from (
                (select from ready x where x.state = 'available' and x.kind = r.kind and x.enqueued_by = r.enqueued_by
                    and x.priority < r.priority limit 10001)
                union all
                (select from ready x where x.state = 'available' and x.kind = r.kind and x.enqueued_by = r.enqueued_by
                    and x.priority = r.priority and x.owner = r.owner and x.id < r.id limit 10001)) ahead) end,
        'login', job.enqueued_by,
        'slots', case when r.state in ('available', 'isolated') then (select m.slots from login_limit m where m.login = r.enqueued_by) end,
        -- Whose jobs run; the names of other logins are for those who may see their jobs.
        'holders', (select coalesce(jsonb_agg(jsonb_build_object('login', x.login, 'running', x.running)), '[]') from (
            select case when y.enqueued_by = job.enqueued_by or may_see_all() then y.enqueued_by end as login,
                   count(*) as running
            from lease y group by 1 order by 2 desc, 1 limit 100) x),
        'running', case when l.id is not null then jsonb_build_object(
            'for', extract(epoch from clock_timestamp() - l.claimed_at), 'worker', w.name,
            'silence', extract(epoch from clock_timestamp() - w.beat_at), 'problem', public_problem(w.problem)) end,
        'took', extract(epoch from o.finalized_at - job.scheduled_at),
        'ended_at', to_char(o.finalized_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'unreconciled', o.reconcile_at is not null,
        'cancelled_by', (select c.by from cancel_request c where c.id = job.id),
        'workers', (select coalesce(jsonb_agg(jsonb_build_object(
                        'name', x.name, 'problem', public_problem(x.problem), 'silence', x.silence,
                        'kinds', string_to_array(x.kinds, ','), 'in_flight', x.in_flight, 'concurrency', x.concurrency,
                        'room', x.room)), '[]') from report_worker x),
        'pause', (select to_jsonb(x) from report_pause x where x.kind is null or x.kind = job.kind
                  order by x.kind nulls first limit 1))
    from job
    left join ready r on r.id = job.id
    left join lease l on l.id = job.id
    left join worker w on w.epoch = l.epoch
    left join outcome o on o.id = job.id
    where job.id = $1 and may_control(job.id)
$$;

-- Why a daemon could not start last.
create view report_failed_start as
select machine, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') as at, error
from failed_start order by failed_start.at desc limit 1;

-- Sequences and the highest numbers of their tables: after a switch to a logical replica a sequence lies behind.
create view report_sequence as
select 'job_id_seq' as sequence, (select last_value from job_id_seq) as last, (select max(id) from job) as highest
union all
select 'lease_number', (select last_value from lease_number), (select max(number) from lease)
union all
select 'attempt_error_number_seq', (select last_value from attempt_error_number_seq), (select max(number) from attempt_error);
