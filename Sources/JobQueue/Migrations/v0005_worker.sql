-- The worker's side. Times are the database's; a worker is known by its epoch alone.

create function register_worker(epoch bigint, name text, version text, concurrency int, kinds text[] default null)
returns void language sql security definer as $$
    select set_config('synchronous_commit', 'local', true);   -- as in heartbeat
    insert into worker (epoch, name, version, concurrency, kinds) values (epoch, name, version, concurrency, kinds)
    -- It may come twice: the first time without its answer reaching the worker.
    on conflict on constraint worker_pkey do update set beat_at = clock_timestamp()
$$;

-- Signs off, and gives back what the worker still holds; that costs the jobs no attempt.
create function deregister_worker(epoch bigint) returns void language plpgsql security definer as $$
begin
    -- First, so that a claim that is still under way either fails or is seen below.
    delete from worker w where w.epoch = deregister_worker.epoch;
    perform from finish(deregister_worker.epoch, (
        select jsonb_agg(jsonb_build_object('id', l.id, 'lease_number', l.number, 'outcome', 'snooze'))
        from lease l where l.epoch = deregister_worker.epoch));
end
$$;

-- Notes that this worker is about to sleep, so that enqueue notifies from now on. Returns the seconds until the next
-- scheduled job is due, null for none, and whether the flag was down before: then a job may have come without a
-- notification, and the worker must look once more.
create function mark_idle(out seconds_until_due float8, out was_busy boolean) language plpgsql security definer as $$
begin
    was_busy := (select f.last_value from idle_flag f) <> 1;
    if was_busy then
        perform setval('idle_flag', 1);
    end if;
    seconds_until_due := (
        select extract(epoch from r.run_at - clock_timestamp()) from ready r
        where r.state = 'scheduled' order by r.run_at limit 1);
end
$$;

-- Notes that this worker looks by itself, so that enqueue stops notifying; false where another worker has a free slot and
-- may be idle.
create function mark_busy(epoch bigint) returns boolean language plpgsql security definer as $$
begin
    if exists (select from worker w where w.epoch <> mark_busy.epoch and w.in_flight < w.concurrency) then
        return false;
    end if;
    perform setval('idle_flag', 0);
    return true;
end
$$;

-- What a job that ended early leaves behind: the part of its checkpoint that is meant for people.
create function partial_result(id bigint) returns jsonb language sql stable as $$
    select p.checkpoint -> 'result' from progress p
    where p.id = $1 and jsonb_typeof(p.checkpoint -> 'result') = 'object'
$$;

-- Ends or puts back a batch of running jobs, each {id, lease_number, outcome, result, error, delay}. `outcome` is completed,
-- discarded, cancelled, retry (after `delay` seconds), snooze (the same, but without costing an attempt; `error` is then
-- what the job waits for) or lost. Returns the jobs that this worker still held, with the states that they are in now; of the others
-- nothing is written.
--
-- A job whose worker was lost runs again. It may be what ends its workers, or have run beside that: so the first two losses cost
-- no attempt, then it runs alone, each further loss costs one, and the third of these is its end.
create function finish(epoch bigint, completions jsonb, keep_payloads boolean default false)
returns table (id bigint, state text) language plpgsql security definer as $$
#variable_conflict use_column
declare
    ids     bigint[];
    states  text[];
    ended   bigint[];                           -- those with targets
    targets text[];
    logins  text[];
    held    bigint;
begin
    with completion as materialized (
        -- At most thirty days: a delay beyond all dates would fail the whole batch, and fail it again for ever.
        select c.id, c.lease_number, c.outcome, c.result, c.error, least(greatest(coalesce(c.delay, 0), 0), 2592000) as delay
        from jsonb_to_recordset(completions)
            as c(id bigint, lease_number bigint, outcome text, result jsonb, error jsonb, delay float8)
    ), deleted as (
        delete from lease l using completion c
        where l.id = c.id and l.number = c.lease_number and l.epoch = finish.epoch
        returning l.id, l.target, l.attempt, l.redelivered, l.losses, l.claimed_at, c.outcome, c.result, c.error, c.delay
    ), moved as materialized (
        select d.*, j.kind, j.enqueued_by, j.priority, j.owner, r.id is not null as cancel_requested, k.is_reconciled,
               case when d.outcome in ('retry', 'snooze', 'lost') and r.id is not null then 'cancelled'
                    when d.outcome = 'lost' and d.losses < 2 then 'snooze'
                    when d.outcome = 'lost' and d.losses >= 4 then 'discarded'
                    when d.outcome in ('retry', 'lost') and d.attempt >= j.max_attempts then 'discarded'
                    when d.outcome = 'lost' then 'retry'
                    else d.outcome end as state
        from deleted d join job j on j.id = d.id left join kind k on k.name = j.kind
        left join cancel_request r on r.id = d.id
    ), finalized as (
        insert into outcome (id, state, attempt, attempted_at, result, reconcile_at)
        select m.id, m.state, m.attempt, m.claimed_at, case when m.state = 'completed' then m.result else partial_result(m.id) end,
               -- A job that failed for good in its only delivery has reported what it made.
               case when (m.state = 'cancelled' or m.state = 'discarded' and (m.outcome in ('retry', 'lost') or m.redelivered))
                   and m.is_reconciled and m.target is null then clock_timestamp() end
        from moved m where m.state is null or m.state not in ('retry', 'snooze')
    ), failed as (
        insert into attempt_error (job_id, attempt, error)
        select m.id, m.attempt, m.error from moved m where m.error is not null and m.outcome <> 'snooze'
    ), requeued as (
        insert into ready (id, kind, enqueued_by, priority, owner, target, state, attempt, redelivered, losses, run_at,
                           attempted_at, waits_for)
        select m.id, m.kind, m.enqueued_by, m.priority, m.owner, m.target,
               case when m.delay > 0 then 'scheduled' when m.losses + (m.outcome = 'lost')::int >= 2 then 'isolated'
                    else 'available' end,
               m.attempt - (m.state = 'snooze')::int, true, m.losses + (m.outcome = 'lost')::int,
               now() + make_interval(secs => m.delay), m.claimed_at, case m.outcome when 'snooze' then m.error end
        from moved m where m.state in ('retry', 'snooze')
    ), payload_cleared as (
        update job j set payload = null
        where j.id = any (array(select m.id from moved m where m.state = 'completed' and not keep_payloads))
    ), requests_done as (
        delete from cancel_request r
        where r.id = any (array(select m.id from moved m where m.cancel_requested and m.state not in ('retry', 'snooze')))
    )
    select array_agg(m.id),
           array_agg(case m.state when 'retry' then 'retryable' when 'snooze' then 'available' else m.state end),
           array_agg(m.id) filter (where m.target is not null and m.state not in ('retry', 'snooze')),
           array_agg(m.target) filter (where m.target is not null and m.state not in ('retry', 'snooze')),
           array_agg(m.enqueued_by), (select count(*) from deleted)
    into ids, states, ended, targets, logins, held
    from moved m;
    perform check_visible(held, coalesce(cardinality(ids), 0));
    if ended is not null then
        perform unblock_targets(targets, ended);
    end if;
    perform notify_finalized(ids, states);
    -- A slot that a login may fill again is one that any worker may have waited for.
    if states && '{retryable, available}'
        or exists (select from login_limit l where l.slots is not null and l.login = any (logins)) then
        perform notify_workers();
    end if;
    return query select * from unnest(ids, states);
end
$$;

-- Says that a worker lives. Returns false where it was taken for dead: its jobs are somebody else's, and it must stop. Also
-- returned are its jobs that somebody wants cancelled, and whether a worker should look for what an ended job has made.
--
-- `known` has the numbers of the leases that the worker knows of. Others come from a claim whose answer was lost; those older
-- than `lost_after` seconds are given back, because nobody else could run them while this worker lives.
create function heartbeat(epoch bigint, in_flight int, is_listening boolean, problem text, last_error text, known bigint[],
                          lost_after float8, room bigint,
                          out alive boolean, out cancelled bigint[], out unreconciled boolean)
language plpgsql security definer as $$
declare
    lost jsonb;
begin
    -- A standby that does not answer holds up no sign of life. What this transaction gives back it gives back again.
    perform set_config('synchronous_commit', 'local', true);
    update worker w
    set beat_at = clock_timestamp(), in_flight = heartbeat.in_flight, is_listening = heartbeat.is_listening,
        problem = heartbeat.problem, last_error = heartbeat.last_error, room = heartbeat.room
    where w.epoch = heartbeat.epoch;
    alive := found;
    lost := (
        select jsonb_agg(jsonb_build_object('id', l.id, 'lease_number', l.number, 'outcome', 'snooze')) from lease l
        where l.epoch = heartbeat.epoch and l.number <> all (known)
          and l.claimed_at < clock_timestamp() - make_interval(secs => lost_after));
    if lost is not null then
        perform from finish(heartbeat.epoch, lost);
    end if;
    cancelled := array(
        select r.id from cancel_request r join lease l on l.id = r.id where l.epoch = heartbeat.epoch);
    unreconciled := exists (select from outcome o where o.reconcile_at <= now());
end
$$;

-- Writes how far a job is; false where this lease does not hold it any more.
create function report_progress(epoch bigint, id bigint, lease_number bigint, step text, rows_done bigint,
                                rows_total bigint, checkpoint jsonb) returns boolean
language plpgsql security definer as $$
#variable_conflict use_variable
begin
    insert into progress as p (id, step, rows_done, rows_total, checkpoint)
    select l.id, step, rows_done, rows_total, checkpoint from lease l
    where l.id = report_progress.id and l.number = report_progress.lease_number and l.epoch = report_progress.epoch
    for key share
    on conflict on constraint progress_pkey do update
    set step = excluded.step, rows_done = excluded.rows_done, rows_total = excluded.rows_total,
        checkpoint = coalesce(excluded.checkpoint, p.checkpoint), updated_at = clock_timestamp();
    return found;
end
$$;

-- Tells enqueue the largest payload that it may take.
create function set_max_payload_bytes(bytes bigint) returns void language sql security definer as $$
    update kind set max_payload_bytes = bytes where max_payload_bytes <> bytes
$$;
