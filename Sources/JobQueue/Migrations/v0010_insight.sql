-- What stands between the jobs and their work, in the words that `sheetsync status` and `sheetsync why` need.

-- What a report needs of jobs: neither payload nor checkpoint. `offset 0` keeps the planner from joining the whole of job.
create view job_kind as select job.id, job.kind, job.scheduled_at from job;
create view running_now as
select l.id, j.kind, w.name as worker, l.at, p.step, p.rows_done, p.rows_total
from lease l
cross join lateral (select x.kind from job x where x.id = l.id offset 0) j
left join worker w on w.epoch = l.epoch
left join progress p on p.id = l.id;

-- The quotas as they stand: what is allowed and used in a window, and in how many seconds something may be free where
-- nothing is now.
create view quota_now as
select q.name, q.configured, q.learned, v.allowed, v.used, case when v.due <= v.used then greatest(v.next_in, 0) end as free_in
from quota q cross join lateral quota_at(q, clock_timestamp()) v;

-- Until when Google takes the access token of each account, as the worker that got it last noted.
create table identity (
    account     text primary key,
    token_until timestamptz not null
);

create function note_token(account text, seconds float8) returns void
language sql security definer set search_path from current
as $$
    delete from identity i where i.token_until < now() - interval '1 day';
    insert into identity (account, token_until) values (account, clock_timestamp() + make_interval(secs => seconds))
    on conflict on constraint identity_pkey do update set token_until = excluded.token_until
$$;

-- Everything that may keep a job waiting, or null where the caller may not see the job; whoever may see a job may know
-- what it waits for.
create function situation(id bigint) returns jsonb
language sql stable security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
    select jsonb_build_object(
        'gate', r.gate,
        'due_in', extract(epoch from r.run_at - clock_timestamp()),
        'due_at', to_char(r.run_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'waits_for', r.waits_for,
        'target', job.target,
        'head', (select jsonb_build_object('id', h.id, 'runs', exists (select from lease x where x.id = h.id))
                 from head_of(job.target) h where h.id <> job.id),
        'earlier', (select min(x.id) from ready x where x.target = job.target and x.gate in (0, 2) and x.id < job.id),
        'ahead', case when r.gate = 0 then (
            select count(*) from (
                (select from ready x where x.gate = 0 and x.kind = r.kind and x.priority < r.priority limit 10001)
                union all
                (select from ready x where x.gate = 0 and x.kind = r.kind and x.priority = r.priority
                    and (x.turn, x.id) < (r.turn, r.id) limit 10001)) ahead) end,
        'running', case when l.id is not null then jsonb_build_object(
            'for', extract(epoch from clock_timestamp() - l.at), 'worker', w.name,
            'silence', extract(epoch from clock_timestamp() - w.beat_at)) end,
        'took', extract(epoch from o.finalized_at - job.scheduled_at),
        'ended_at', to_char(o.finalized_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        'unsettled', o.look_at is not null,
        'cancelled_by', (select c.by from cancel_request c where c.id = job.id),
        'workers', (select coalesce(jsonb_agg(jsonb_build_object(
                        'silence', extract(epoch from clock_timestamp() - x.beat_at), 'kinds', x.kinds,
                        'in_flight', x.in_flight, 'concurrency', x.concurrency)), '[]') from worker x),
        'pause', (select jsonb_build_object(
                      'kind', nullif(x.kind, ''), 'by', x.by,
                      'since', to_char(x.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'))
                  from pause x where x.kind in ('', job.kind) order by x.kind limit 1),
        'breakers', (select coalesce(jsonb_agg(jsonb_build_object(
                         'name', x.name, 'reason', x.reason,
                         'since', to_char(x.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
                         'opens_in', extract(epoch from x.until - clock_timestamp())) order by x.since), '[]')
                     from breaker x),
        'quotas', (select coalesce(jsonb_agg(to_jsonb(x) order by x.name), '[]') from quota_now x))
    from job
    left join ready r on r.id = job.id
    left join lease l on l.id = job.id
    left join worker w on w.epoch = l.epoch
    left join outcome o on o.id = job.id
    where job.id = $1 and (job.enqueued_by = session_user or may_see_all())
$$;

do $$
begin
    execute format('revoke all on all functions in schema %I from public', current_schema);
end
$$;
grant execute on function situation(bigint)
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function note_token(text, float8) to sheetsync_worker;
grant select on job_kind, running_now, quota_now, breaker, identity to sheetsync_worker, sheetsync_operator;
