-- The worker's side. Times are the database's; a worker is known by its epoch alone.

create function enter(epoch bigint, name text, version text, concurrency int, kinds text[] default null) returns void
language sql security definer set search_path from current
as $$
    insert into worker (epoch, name, version, concurrency, kinds) values (epoch, name, version, concurrency, kinds)
    -- It may come twice: the first time without its answer reaching the worker.
    on conflict on constraint worker_pkey do update set beat_at = clock_timestamp()
$$;

-- Says that this worker is about to sleep. Returns the seconds until the next timed job is due, null for none, and
-- whether the flag was down before: then a job may have come without a notification, so look once more.
create function arm(out seconds_until_due float8, out was_down boolean)
language plpgsql security definer set search_path from current
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
    was_down := (select last_value from wake) <> 1;
    if was_down then
        perform setval('wake', 1);
    end if;
    -- What was due before that a claim opens when it looks back.
    select extract(epoch from min(r.run_at) - clock_timestamp()) into seconds_until_due
    from ready r where r.gate = 1 and r.run_at > now() - interval '1 minute';
end
$$;

-- Says that this worker is busy and looks by itself, so that enqueue stops notifying; false where another one has a free
-- slot, which may sleep and needs the notifications.
create function disarm(epoch bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
begin
    if exists (select from worker w where w.epoch <> disarm.epoch and w.in_flight < w.concurrency) then
        return false;
    end if;
    perform setval('wake', 0);
    return true;
end
$$;

-- Ends or puts back a batch of running jobs, each {id, lease_no, end, result, error, delay}: `end` is completed,
-- discarded, cancelled, retry (after `delay` seconds) or release (given back, costs no attempt; its error is what the job
-- waits for, and no failure). Returned are the jobs that this worker still held, with where they are now; the others
-- belong to somebody else, and nothing was written.
create function finish(epoch bigint, endings jsonb, keep_payloads boolean default false)
returns table (id bigint, state text)
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
declare
    ids     bigint[];
    states  text[];
    is_back boolean;
    vacated bigint[];                           -- those with targets
    targets text[];
begin
    with ending as materialized (
        -- At most thirty days: a delay beyond all dates would fail the whole batch, and fail it again for ever.
        select e.id, e.lease_no, e."end", e.result, e.error, least(greatest(coalesce(e.delay, 0), 0), 2592000) as delay
        from jsonb_to_recordset(endings)
            as e(id bigint, lease_no bigint, "end" text, result jsonb, error jsonb, delay float8)
    ), gone as (
        delete from lease l using ending e
        where l.id between e.id and e.id and l.lease_no = e.lease_no and l.epoch = finish.epoch
        returning l.id, l.target, l.attempt, l.redelivered, l.at, e."end", e.result, e.error, e.delay
    ), moved as materialized (
        select g.*, j.kind, j.priority, j.owner, c.id is not null as is_unwanted,
               case when g."end" in ('retry', 'release') and c.id is not null then 'cancelled'
                    when g."end" = 'retry' and g.attempt >= j.max_attempts then 'discarded'
                    else g."end" end as state
        from gone g join job j on j.id between g.id and g.id left join cancel_request c on c.id between g.id and g.id
    ), ended as (
        insert into outcome (id, state, attempt, attempted_at, result, look_at)
        select m.id, m.state, m.attempt, m.at, case when m.state = 'completed' then m.result else saved_result(m.id) end,
               -- Who fails for good in the first attempt knows what it has made.
               case when (m.state = 'cancelled' or m.state = 'discarded' and (m."end" = 'retry' or m.redelivered))
                   and makes_spreadsheet(m.kind, m.target) then clock_timestamp() end
        from moved m where m.state is null or m.state not in ('retry', 'release')
    ), failed as (
        insert into failure (id, attempt, error)
        select m.id, m.attempt, m.error from moved m where m.error is not null and m."end" <> 'release'
    ), back as (
        insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, attempted_at, line, turn, target,
                           waits_for)
        select m.id, m.kind, m.priority, (m.delay > 0)::int, m.attempt - (m.state = 'release')::int, true,
               now() + make_interval(secs => m.delay), m.at, line_of(m.kind, m.priority, m.owner),
               turn_reached(m.kind, m.priority) + row_number() over (), m.target,
               case m.state when 'release' then m.error end
        from moved m where m.state in ('retry', 'release')
    ), forgotten as (
        update job j set payload = null
        where j.id = any (array(select m.id from moved m where m.state = 'completed' and not keep_payloads))
    ), answered as (
        delete from cancel_request c
        where c.id = any (array(select m.id from moved m where m.is_unwanted and m.state not in ('retry', 'release')))
    )
    select array_agg(m.id),
           array_agg(case m.state when 'retry' then 'retryable' when 'release' then 'available' else m.state end),
           bool_or(m.state in ('retry', 'release')),
           array_agg(m.id) filter (where m.target is not null and m.state not in ('retry', 'release')),
           array_agg(m.target) filter (where m.target is not null and m.state not in ('retry', 'release'))
    into ids, states, is_back, vacated, targets
    from moved m;
    if vacated is not null then
        perform vacate(vacated, targets);
    end if;
    perform announce(ids, states);
    if is_back then
        perform rouse();
    end if;
    return query select * from unnest(ids, states);
end
$$;

-- Says that a worker lives, and learns which of its jobs somebody wants cancelled, and whether there is something for
-- `take_unsettled`. False: it was taken for dead, its jobs are somebody else's, and it must stop what it does.
create function beat(epoch bigint, in_flight int, last_error text, out alive boolean, out cancelled bigint[],
                     out unsettled boolean)
language plpgsql security definer set search_path from current
set enable_seqscan = off set jit = off
as $$
begin
    update worker w set beat_at = clock_timestamp(), in_flight = beat.in_flight, last_error = beat.last_error
    where w.epoch = beat.epoch;
    alive := found;
    cancelled := '{}';
    if exists (select from cancel_request) then
        -- `offset 0`, or the planner may read the leases of this worker, those that have ended included.
        cancelled := array(
            select c.id from cancel_request c
            cross join lateral (select l.epoch from lease l where l.id = c.id offset 0) l where l.epoch = beat.epoch);
    end if;
    -- What was due before that a worker finds when it looks from the beginning.
    unsettled := (select o.look_at from outcome o where o.look_at > now() - interval '1 minute' and o.look_at <= now()
                  order by o.look_at limit 1) is not null;
end
$$;

-- Signs off and gives back, without costing an attempt, what the worker still holds.
create function leave(epoch bigint) returns void
language plpgsql security definer set search_path from current
as $$
begin
    -- First, so that a claim that is still under way either fails or is seen below.
    delete from worker w where w.epoch = leave.epoch;
    perform from finish(leave.epoch, (
        select jsonb_agg(jsonb_build_object('id', l.id, 'lease_no', l.lease_no, 'end', 'release'))
        from lease l where l.epoch = leave.epoch));
end
$$;

-- Writes how far a job is, if this lease still holds it.
create function report(epoch bigint, id bigint, lease_no bigint, step text, rows_done bigint, rows_total bigint,
                       checkpoint jsonb)
returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    insert into progress as p (id, step, rows_done, rows_total, checkpoint)
    select l.id, step, rows_done, rows_total, checkpoint from lease l
    where l.id = report.id and l.lease_no = report.lease_no and l.epoch = report.epoch
    on conflict on constraint progress_pkey do update
    set step = excluded.step, rows_done = excluded.rows_done, rows_total = excluded.rows_total,
        checkpoint = coalesce(excluded.checkpoint, p.checkpoint), updated_at = clock_timestamp();
    if not found then
        return false;
    end if;
    if checkpoint ? 'identity' and checkpoint ? 'spreadsheet_id' then
        insert into maker (target, identity)
        values ('spreadsheet:' || left(checkpoint ->> 'spreadsheet_id', 200), checkpoint ->> 'identity')
        on conflict do nothing;
    end if;
    return true;
end
$$;

-- Remembers a folder before it is made; the first of several writers wins, and all of them get its row.
create function remember_folder(account text, parent text, name text, id text, made boolean) returns folder
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
declare
    known folder;
begin
    insert into folder as f (account, parent, name, id, made_at)
    values (account, parent, name, id, case when made then now() end)
    on conflict on constraint folder_pkey do update
    set made_at = coalesce(f.made_at, case when f.id = excluded.id then excluded.made_at end)
    returning f.* into known;
    return known;
end
$$;

create function find_folder(account text, parent text, name text) returns setof folder
language sql stable security definer set search_path from current
as $$
    select * from folder f where f.account = $1 and f.parent = $2 and f.name = $3
$$;

create function forget_folder(account text, id text) returns void
language sql security definer set search_path from current
as $$
    delete from folder f where f.account = $1 and f.id = $2
$$;

-- Tells enqueue the largest payload that it may take.
create function set_largest_payload(bytes bigint) returns void
language sql security definer set search_path from current
as $$
    update setting s set value = bytes::text where s.name = 'max_payload_bytes' and s.value <> bytes::text
$$;
